"""Convert the memberships of 17 treaties into a register that `secretariat import` takes.

Usage: python examples/wipo-treaties/convert.py FOLDER

Reads membership-to-copyright-treaties.csv, which lies beside this script, and writes one CSV file
for each type of event into FOLDER, a new or empty one. Needs nothing but Python. README.md beside
this file says what was decided, and what the columns mean.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

SOURCE = Path(__file__).with_name("membership-to-copyright-treaties.csv")
DOCUMENT = "github.com/datasets/membership-to-copyright-treaties commit 96217be"
COMMITTED_ON = "2026-03-06"
"""When the source was as it is: the day on which a register of it would have taken every row."""

PARTY, TREATY, SIGNED, INSTRUMENT, DEPOSITED, TAKES_EFFECT = HEADER = (
    *("Contracting Party", "Treaty", "Signature Date"),
    *("Instrument Type", "Instrument Date", "Entry Into Force Date"),
)

INSTRUMENTS = {
    "Acceptance": "acceptance",
    "Accession": "accession",
    "Declaration of Continued Application": "continued_application",
    "Declaration/Notification of Succession": "succession",
    "Ratification": "ratification",
    "": "",
}


class Treaty(NamedTuple):
    """A treaty's key and title, and its clause on entry into force, where that is stated here.

    So many instruments (`required`) bring it into force after three months; those of organizations
    count among them (yes) or don't (no).
    """

    key: str
    title: str
    required: int | None = None
    organizations_counted: str = ""
    clause: str = ""


TREATIES = {
    "Beijing": Treaty(
        "BEIJING", "Beijing Treaty on Audiovisual Performances", 30, "yes", "articles 26 and 27"
    ),
    "Berne": Treaty("BERNE", "Berne Convention for the Protection of Literary and Artistic Works"),
    "Brussels": Treaty(
        "BRUSSELS",
        "Convention Relating to the Distribution of Programme-Carrying Signals Transmitted by"
        " Satellite",
    ),
    "Madrid": Treaty(
        "MADRID",
        "Madrid Agreement for the Repression of False or Deceptive Indications of Source on Goods",
    ),
    "Marrakesh": Treaty(
        "MARRAKESH",
        "Marrakesh Treaty to Facilitate Access to Published Works for Persons Who Are Blind,"
        " Visually Impaired or Otherwise Print Disabled",
        20,
        "yes",
        "articles 18 and 19",
    ),
    "Nairobi": Treaty("NAIROBI", "Nairobi Treaty on the Protection of the Olympic Symbol"),
    "Paris": Treaty("PARIS", "Paris Convention for the Protection of Industrial Property"),
    "Patent": Treaty("PLT", "Patent Law Treaty"),
    "Phonograms": Treaty(
        "PHONOGRAMS",
        "Convention for the Protection of Producers of Phonograms Against Unauthorized Duplication"
        " of Their Phonograms",
    ),
    "Riyadh": Treaty("RIYADH", "Riyadh Design Law Treaty"),
    "Rome": Treaty(
        "ROME",
        "International Convention for the Protection of Performers, Producers of Phonograms and"
        " Broadcasting Organisations",
    ),
    "Singapore": Treaty("SINGAPORE", "Singapore Treaty on the Law of Trademarks"),
    "Trademark": Treaty("TLT", "Trademark Law Treaty"),
    "WIPO Copyright Treaty (WCT)": Treaty(
        "WCT", "WIPO Copyright Treaty", 30, "no", "articles 20 and 21"
    ),
    "WIPO GRATK Treaty": Treaty(
        "GRATK",
        "WIPO Treaty on Intellectual Property, Genetic Resources and Associated Traditional"
        " Knowledge",
    ),
    "WIPO Performances and Phonograms Treaty (WPPT)": Treaty(
        "WPPT", "WIPO Performances and Phonograms Treaty", 30, "no", "articles 29 and 30"
    ),
    "Washington": Treaty(
        "WASHINGTON", "Treaty on Intellectual Property in Respect of Integrated Circuits"
    ),
}

ORGANIZATIONS = {
    "African Intellectual Property Organization (OAPI)": "OAPI",
    "Benelux Organization for Intellectual Property (BOIP)": "BOIP",
    "European Patent Organisation (EPO)": "EPO",
    "European Union (EU)": "EU",
}

# Their codes (ISO 3166-1 alpha-3), and the names that the source has for them.
_STATES = """
AFG Afghanistan; ALB Albania; DZA Algeria; AND Andorra; AGO Angola; ATG Antigua and Barbuda;
ARG Argentina; ARM Armenia; AUS Australia; AUT Austria; AZE Azerbaijan; BHS Bahamas; BHR Bahrain;
BGD Bangladesh; BRB Barbados; BLR Belarus; BEL Belgium; BLZ Belize; BEN Benin; BTN Bhutan;
BOL Bolivia (Plurinational State of); BIH Bosnia and Herzegovina; BWA Botswana; BRA Brazil;
BRN Brunei Darussalam; BGR Bulgaria; BFA Burkina Faso; BDI Burundi; CPV Cabo Verde; KHM Cambodia;
CMR Cameroon; CAN Canada; CAF Central African Republic; TCD Chad; CHL Chile; CHN China;
COL Colombia; COM Comoros; COG Congo; COK Cook Islands; CRI Costa Rica; HRV Croatia; CUB Cuba;
CYP Cyprus; CZE Czech Republic; CIV Côte d'Ivoire; PRK Democratic People's Republic of Korea;
COD Democratic Republic of the Congo; DNK Denmark; DJI Djibouti; DMA Dominica;
DOM Dominican Republic; ECU Ecuador; EGY Egypt; SLV El Salvador; GNQ Equatorial Guinea;
EST Estonia; SWZ Eswatini; ETH Ethiopia; FJI Fiji; FIN Finland; FRA France; GAB Gabon; GMB Gambia;
GEO Georgia; DEU Germany; GHA Ghana; GRC Greece; GRD Grenada; GTM Guatemala; GIN Guinea;
GNB Guinea-Bissau; GUY Guyana; HTI Haiti; VAT Holy See; HND Honduras; HUN Hungary; ISL Iceland;
IND India; IDN Indonesia; IRN Iran (Islamic Republic of); IRQ Iraq; IRL Ireland; ISR Israel;
ITA Italy; JAM Jamaica; JPN Japan; JOR Jordan; KAZ Kazakhstan; KEN Kenya; KIR Kiribati; KWT Kuwait;
KGZ Kyrgyzstan; LAO Lao People's Democratic Republic; LVA Latvia; LBN Lebanon; LSO Lesotho;
LBR Liberia; LBY Libya; LIE Liechtenstein; LTU Lithuania; LUX Luxembourg; MDG Madagascar;
MWI Malawi; MYS Malaysia; MDV Maldives; MLI Mali; MLT Malta; MHL Marshall Islands; MRT Mauritania;
MUS Mauritius; MEX Mexico; FSM Micronesia (Federated States of); MCO Monaco; MNG Mongolia;
MNE Montenegro; MAR Morocco; MOZ Mozambique; NAM Namibia; NRU Nauru; NPL Nepal;
NLD Netherlands (Kingdom of the); NZL New Zealand; NIC Nicaragua; NER Niger; NGA Nigeria; NIU Niue;
MKD North Macedonia; NOR Norway; OMN Oman; PAK Pakistan; PAN Panama; PNG Papua New Guinea;
PRY Paraguay; PER Peru; PHL Philippines; POL Poland; PRT Portugal; QAT Qatar;
KOR Republic of Korea; MDA Republic of Moldova; ROU Romania; RUS Russian Federation; RWA Rwanda;
KNA Saint Kitts and Nevis; LCA Saint Lucia; VCT Saint Vincent and the Grenadines; WSM Samoa;
SMR San Marino; STP Sao Tome and Principe; SAU Saudi Arabia; SEN Senegal; SRB Serbia;
SYC Seychelles; SLE Sierra Leone; SGP Singapore; SVK Slovakia; SVN Slovenia; SLB Solomon Islands;
ZAF South Africa; ESP Spain; LKA Sri Lanka; SDN Sudan; SUR Suriname; SWE Sweden; CHE Switzerland;
SYR Syrian Arab Republic; TJK Tajikistan; THA Thailand; TGO Togo; TON Tonga;
TTO Trinidad and Tobago; TUN Tunisia; TKM Turkmenistan; TUV Tuvalu; TUR Türkiye; UGA Uganda;
UKR Ukraine; ARE United Arab Emirates; GBR United Kingdom; TZA United Republic of Tanzania;
USA United States of America; URY Uruguay; UZB Uzbekistan; VUT Vanuatu;
VEN Venezuela (Bolivarian Republic of); VNM Viet Nam; YEM Yemen; ZMB Zambia; ZWE Zimbabwe"""
STATES = {name: key for key, name in (words.split(maxsplit=1) for words in _STATES.split(";"))}

PARTIES = STATES | ORGANIZATIONS

T = TypeVar("T")

Cells = dict[str, str]

FILES = {
    "state_admitted.csv": ("state", "status", "name_en"),
    "organization_registered.csv": ("organization", "name_en"),
    "treaty_opened.csv": (
        *("treaty", "title_en", "depositary", "clause", "instruments_required"),
        *("instrument_kinds", "organizations_counted", "share_required", "share_of"),
        *("offset", "party_offset", "denunciation_offset"),
    ),
    "treaty_signed.csv": ("treaty", "state", "organization"),
    "instrument_deposited.csv": (
        *("treaty", "state", "organization"),
        *("instrument", "instrument_date", "takes_effect", "share"),
    ),
}
"""The files that are written, and their own columns; the others are the same in every file."""


class Mistake(Exception):
    """What is wrong with the source or with the folder, in one line."""


class Row(NamedTuple):
    """A row of the source, its names made keys; what is empty there is empty here."""

    line: int
    party: str
    treaty: str
    signed: str
    instrument: str
    deposited: str
    takes_effect: str

    def has_instrument(self) -> bool:
        """Whether the row says more than that the treaty was signed."""
        return bool(self.instrument or self.deposited or self.takes_effect)

    def days(self) -> list[str]:
        """The days that the row states."""
        return [day for day in (self.signed, self.deposited, self.takes_effect) if day]


class Source(NamedTuple):
    """The rows of the source, and the SHA-256 of its bytes."""

    rows: list[Row]
    sha256: str


# ---------------------------------------------------------------- reading


def read_source(path: Path) -> Source:
    """Return what the file at `path` says; raise `Mistake` at the first thing wrong with it."""
    try:
        content = path.read_bytes()
        return Source(list(_rows(content.decode().splitlines())), sha256(content).hexdigest())
    except OSError as error:
        raise Mistake(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path} is not in UTF-8; take it from the source again") from None
    except Mistake as mistake:
        raise Mistake(f"{path.name}, {mistake}") from None


def _rows(lines: list[str]) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True)
    places: dict[tuple[str, str], int] = {}
    try:
        if next(reader, None) != list(HEADER):
            raise Mistake(f"the columns are not {', '.join(HEADER)}")
        for cells in reader:
            row = _row(reader.line_num, cells)
            before = places.setdefault((row.treaty, row.party), row.line)
            if before != row.line:
                raise Mistake(f"line {before} is of the same party and treaty")
            yield row
    except (Mistake, csv.Error) as mistake:
        raise Mistake(f"line {max(reader.line_num, 1)}: {mistake}") from None


def _row(line: int, cells: list[str]) -> Row:
    if len(cells) != len(HEADER):
        raise Mistake(f"there are {len(cells)} cells, not {len(HEADER)}")
    party, treaty, signed, instrument, deposited, takes_effect = cells
    row = Row(
        line=line,
        party=_known(party, PARTIES, PARTY),
        treaty=_known(treaty, TREATIES, TREATY).key,
        signed=_day(signed, SIGNED),
        instrument=_known(instrument, INSTRUMENTS, INSTRUMENT),
        deposited=_day(deposited, DEPOSITED),
        takes_effect=_day(takes_effect, TAKES_EFFECT),
    )
    if not row.days():
        raise Mistake("there is no day in it; a row is of a signature or of an instrument")
    if row.instrument and not (row.deposited or row.takes_effect):
        raise Mistake(f"{DEPOSITED}: it is empty, and so is {TAKES_EFFECT}")
    return row


def _known(text: str, known: Mapping[str, T], column: str) -> T:
    if text not in known:
        raise Mistake(f"{column}: {text!r} is not known; add it to the names in convert.py")
    return known[text]


def _day(text: str, column: str) -> str:
    try:
        if text and date.fromisoformat(text).isoformat() != text:
            raise ValueError
    except ValueError:
        raise Mistake(f"{column}: {text!r} is not a day such as 2002-03-06") from None
    return text


# ---------------------------------------------------------------- converting

_EARLIEST = "the earliest day that the source has of it"


def register_of(rows: list[Row]) -> dict[str, list[Cells]]:
    """Return the rows of each file, without the cells that are the same in all of them."""
    opened = _earliest(rows, lambda row: row.treaty)
    return {
        "state_admitted.csv": list(_parties(rows, STATES, _state)),
        "organization_registered.csv": list(_parties(rows, ORGANIZATIONS, _organization)),
        "treaty_opened.csv": [
            _treaty(treaty, *opened[treaty.key])
            for treaty in TREATIES.values()
            if treaty.key in opened
        ],
        "treaty_signed.csv": [
            {"effective": row.signed} | _participant(row) for row in rows if row.signed
        ],
        "instrument_deposited.csv": [
            _instrument(row, opened[row.treaty][0]) for row in rows if row.has_instrument()
        ],
    }


def _earliest(rows: list[Row], key_of: Callable[[Row], str]) -> dict[str, tuple[str, int]]:
    """The earliest day that the rows of each key state, and the line that states it first."""
    earliest: dict[str, tuple[str, int]] = {}
    for row in rows:
        named = (min(row.days()), row.line)
        earliest[key_of(row)] = min(named, earliest.get(key_of(row), named))
    return earliest


def _parties(
    rows: list[Row], keys: Mapping[str, str], cells_of: Callable[[str, str], Cells]
) -> Iterator[Cells]:
    """The parties among `keys` that the source names, each from its earliest day there."""
    earliest = _earliest(rows, lambda row: row.party)
    for name, key in sorted(keys.items(), key=lambda item: item[1]):
        if key in earliest:
            day, line = earliest[key]
            yield {
                "effective": day,
                **cells_of(key, name),
                "locator": f"line {line}",
                "basis": "derived",
            }


def _state(key: str, name: str) -> Cells:
    note = f"{_EARLIEST}; whether and when it joined WIPO is not in the source"
    return {"state": key, "status": "member", "name_en": name, "note": note}


def _organization(key: str, name: str) -> Cells:
    return {"organization": key, "name_en": name.removesuffix(f" ({key})"), "note": _EARLIEST}


def _treaty(treaty: Treaty, day: str, line: int) -> Cells:
    note = f"{_EARLIEST}; the title is its own"
    cells = {"effective": day, "treaty": treaty.key, "title_en": treaty.title}
    if treaty.required is not None:
        note += ", and so is the rule"
        cells |= {
            "clause": treaty.clause,
            "instruments_required": str(treaty.required),
            "instrument_kinds": "ratification accession",
            "organizations_counted": treaty.organizations_counted,
            "offset": "P3M",
            "party_offset": "P3M",
        }
    return cells | {"locator": f"line {line}", "basis": "derived", "note": note}


def _participant(row: Row) -> Cells:
    """Who a row is about, where it stands, and that it says so itself."""
    column = "organization" if row.party in ORGANIZATIONS.values() else "state"
    return {
        "treaty": row.treaty,
        column: row.party,
        "locator": f"line {row.line}",
        "basis": "quoted",
    }


def _instrument(row: Row, opened: str) -> Cells:
    cells = {
        "effective": row.deposited,
        **_participant(row),
        "instrument": row.instrument or "unspecified",
        "takes_effect": row.takes_effect,
    }
    if not row.deposited:
        cells |= {
            "effective": f"[{opened}..{row.takes_effect}]",
            "basis": "derived",
            "note": "the source has the day of effect and no instrument; taken to have been"
            " deposited by that day, and not before the treaty was opened",
        }
    return cells


# ---------------------------------------------------------------- writing


def write(folder: Path, register: Mapping[str, list[Cells]], digest: str) -> None:
    """Write the files into `folder`; raise `Mistake` if there are CSV files in it already."""
    same = {"recorded_on": COMMITTED_ON, "source": DOCUMENT, "evidence_sha256": digest}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(path.suffix.lower() == ".csv" for path in folder.iterdir()):
            raise Mistake(f"there are CSV files in {folder} already; name a new or empty folder")
        for name, rows in register.items():
            with (folder / name).open("x", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, _columns(name), restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(same | row for row in rows)
    except OSError as error:
        raise Mistake(f"{folder} can't be written to: {error.strerror}") from None


def _columns(name: str) -> tuple[str, ...]:
    before, behind = ("effective", "recorded_on"), ("source", "locator", "evidence_sha256")
    return (*before, *FILES[name], *behind, "basis", "note")


def check_complete(folder: Path, rows: list[Row]) -> None:
    """Raise `Mistake` unless the files in `folder` say all that `rows` do, once, and no more."""
    stated = Counter(
        (row.treaty, row.party, column, text)
        for row in rows
        for column, text in zip(HEADER[2:], row[3:], strict=True)
        if text
    )
    found = Counter(_said(folder))
    difference = ((stated - found) + (found - stated)).total()
    if difference:
        raise Mistake(f"{difference} cells of the source and of the files in {folder} differ")


def _said(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """What the files say, as the source does: treaty, party, column, and the text of the cell."""
    for cells in _cells_of(folder / "treaty_signed.csv"):
        yield *_whose(cells), SIGNED, cells["effective"]
    for cells in _cells_of(folder / "instrument_deposited.csv"):
        if cells["instrument"] != "unspecified":
            yield *_whose(cells), INSTRUMENT, cells["instrument"]
        if not cells["effective"].startswith("["):
            yield *_whose(cells), DEPOSITED, cells["effective"]
        if cells["takes_effect"]:
            yield *_whose(cells), TAKES_EFFECT, cells["takes_effect"]


def _whose(cells: Cells) -> tuple[str, str]:
    return cells["treaty"], cells["state"] or cells["organization"]


def _cells_of(file: Path) -> list[Cells]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def main() -> None:
    """Convert, and say how much."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write the files")
    folder = parser.parse_args().folder
    try:
        source = read_source(SOURCE)
        register = register_of(source.rows)
        write(folder, register, source.sha256)
        check_complete(folder, source.rows)
    except Mistake as mistake:
        sys.exit(f"convert.py: {mistake}")
    count = {name: len(rows) for name, rows in register.items()}
    print(
        f"{len(source.rows)} rows: {count['treaty_signed.csv']} signatures and"
        f" {count['instrument_deposited.csv']} instruments, all of them written\n"
        f"{count['state_admitted.csv']} states, {count['organization_registered.csv']}"
        f" organizations and {count['treaty_opened.csv']} treaties"
    )


if __name__ == "__main__":
    main()
