// Mercurius with its JIT and its loaders, by hand on the views of the schema `peers`:
// `node mercurius.mjs URL`.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.argv[2], max: 10 });

const schema = `
  type State { key: ID!, nameEn: String! }
  type Account { key: ID!, fund: String! }
  type Contribution {
    key: ID!, fiscalYear: Int!, received: String!, currency: String!
    state: State, account: Account
  }
  type Total { state: State, currency: String!, net: String!, low: String!, high: String! }
  type Query {
    contribution(key: ID!): Contribution
    contributions(first: Int!): [Contribution!]!
    totals: [Total!]!
  }
`;

const COLUMNS = 'key, fiscal_year AS "fiscalYear", received::text, currency, state, account';
const ONE = { name: 'one', text: `SELECT ${COLUMNS} FROM peers.contributions WHERE key = $1` };
const PAGE = { name: 'page', text: `SELECT ${COLUMNS} FROM peers.contributions ORDER BY key LIMIT $1` };
const TOTALS = {
  name: 'totals',
  text: `SELECT state, currency, net::text, net_low::text AS low, net_high::text AS high
           FROM peers.totals`,
};
const STATES = { name: 'states', text: 'SELECT key, name_en AS "nameEn" FROM peers.states WHERE key = ANY($1)' };
const ACCOUNTS = { name: 'accounts', text: 'SELECT key, fund FROM peers.accounts WHERE key = ANY($1)' };

async function rows(statement, ...values) {
  return (await pool.query({ ...statement, values })).rows;
}

function loader(statement, field) {
  return async (queries) => {
    const keys = queries.map(({ obj }) => obj[field]);
    const found = new Map((await rows(statement, [...new Set(keys)])).map((row) => [row.key, row]));
    return keys.map((key) => found.get(key) ?? null);
  };
}

const app = Fastify();
app.register(mercurius, {
  schema,
  jit: 1,
  resolvers: {
    Query: {
      contribution: async (_, { key }) => (await rows(ONE, key))[0] ?? null,
      contributions: (_, { first }) => rows(PAGE, first),
      totals: () => rows(TOTALS),
    },
    Total: { state: ({ state }) => ({ key: state }) },
  },
  loaders: {
    Contribution: { state: loader(STATES, 'state'), account: loader(ACCOUNTS, 'account') },
  },
});
const address = await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`${address}/graphql`);
process.on('SIGTERM', () => process.exit(0));
