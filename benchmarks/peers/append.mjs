// Contestants that append entries from Node: `node append.mjs WHICH URL CLIENTS SECONDS`.
//
//   WHICH   message-db (write_message, clients spread over 8 categories) or emmett
//   URL     of the database
//
// Prints how many were durable within how many seconds, as JSON.
import { randomUUID } from 'node:crypto';
import pg from 'pg';

const WARM_UP = 500;
// So many were fastest, on two cores; the embedded server allows 60.
const MOST_SESSIONS = 32;
const CATEGORIES = 8;
const WRITE = {
  name: 'write',
  text: 'SELECT message_store.write_message($1, $2, $3, $4::jsonb, $5::jsonb)',
};

const [which, url, clientsText, secondsText] = process.argv.slice(2);
const clients = Number(clientsText);
const seconds = Number(secondsText);
const data = {
  account: 'MAIN',
  state: 'AKX',
  fiscal_year: 2023,
  amount: '1250.00',
  currency: 'USD',
  effective: '2023-05-12',
};
const metadata = { recorded_by: 'clerk', source: { document: 'REG/1', locator: 's.2' } };

// Each contestant gives what appends one event for the client of that number, and what ends it.
const contestants = {
  async 'message-db'() {
    const pool = new pg.Pool({
      connectionString: url,
      max: Math.min(clients, MOST_SESSIONS),
      options: '-c search_path=message_store,public',
    });
    return {
      append: (client) =>
        pool.query({
          ...WRITE,
          values: [
            randomUUID(),
            `contribution${client % CATEGORIES}-${randomUUID()}`,
            'ContributionReceived',
            JSON.stringify(data),
            JSON.stringify(metadata),
          ],
        }),
      end: () => pool.end(),
    };
  },

  async emmett() {
    const { getPostgreSQLEventStore } = await import('@event-driven-io/emmett-postgresql');
    const store = getPostgreSQLEventStore(url);
    await store.schema.migrate();
    return {
      append: () =>
        store.appendToStream(`contribution-${randomUUID()}`, [
          { type: 'ContributionReceived', data, metadata },
        ]),
      end: () => store.close(),
    };
  },
};

const { append, end } = await contestants[which]();
const begins = performance.now() + WARM_UP;
const ends = begins + seconds * 1000;
let count = 0;
await Promise.all(
  Array.from({ length: clients }, async (_, client) => {
    for (;;) {
      await append(client);
      const now = performance.now();
      if (begins <= now && now < ends) count += 1;
      if (now >= ends) return;
    }
  }),
);
await end();
console.log(JSON.stringify({ count, seconds }));
