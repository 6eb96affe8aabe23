"""Layouts of prices and emission factors: ENTSO-E, CAISO OASIS, ERCOT, Electricity Maps.

ENTSO-E Transparency Platform: exports of day-ahead prices (an interval in each row), bulk files, and the API's
`Publication_MarketDocument`. CAISO: OASIS Interface Specification (a row for each part of a locational price).
ERCOT: settlement point prices and LMPs by hour ending or delivery interval, Central time with a flag for the hour
that comes twice. Electricity Maps: data portal exports and the history of its API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.layouts import Layout, document_of
from aidc.scenario.localtime import utc_of
from aidc.scenario.stamped import day_month_year, month_day_year
from aidc.scenario.table import Table, table_of

__all__ = ["LAYOUTS"]


# ---- what several share ----------------------------------------------------------------------------


def _kept(table: Table, rows: Sequence[int]) -> Table:
    """Some rows of a table."""
    if len(rows) == len(table):
        return table
    if not rows:
        raise InputError(Problem("has no rows of this kind", "Check the file, or `point`.", table.path))
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return replace(table, columns=columns, lines=[table.lines[row] for row in rows])


def _one_of(table: Table, column: str, point: str | None, word: str) -> Table:
    """The rows of one point or zone; several to choose from are a refusal that lists them."""
    cells = table.columns[column]
    known = list(dict.fromkeys(cell for cell in cells if cell))
    if point is not None:
        rows = [row for row, cell in enumerate(cells) if cell == point or cell.endswith(f"|{point}")]
        if not rows:
            what = f"has no {word} {point!r}"
            raise InputError(
                Problem(what, f"It has: {', '.join(known[:15])}.", table.path, f"column {column}")
            )
        return _kept(table, rows)
    if len(known) > 1:
        what = f"holds {len(known)} {word}s: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}"
        raise InputError(Problem(what, f'Choose one: point = "{known[0]}".', table.path, f"column {column}"))
    return table


def _with_times(
    table: Table, moments: Sequence[datetime], zone: str, columns: Mapping[str, Sequence[str]]
) -> Table:
    times = [f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in moments]
    return replace(table, columns={"time_utc": times, **columns}, zone=zone)


def _refuse(table: Table, row: int, what: str, remedy: str, cell: object) -> InputError:
    return InputError(Problem(what, remedy, table.path, f"line {table.lines[row]}", cell))


# ---- ENTSO-E ---------------------------------------------------------------------------------------

_ENTSOE_PRICE: Final = re.compile(r"(?:day-ahead )?price ?[\[(] ?(\w+) ?/ ?mwh ?[\])]", re.IGNORECASE)
_CENTRAL_EUROPE: Final = "Europe/Brussels"
_CLOCK: Final = re.compile(
    r"(\d{2}[./]\d{2}[./]\d{4}|\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?(?: ?\((\w+)\))?"
)


def _is_entsoe(head: str) -> bool:
    first = head.partition("\n")[0].lower()
    if "publication_marketdocument" in head[:800].lower():
        return True
    return first.lstrip('"').startswith(("mtu", "time interval")) or "price[currency/mwh]" in first.replace(
        " ", ""
    )


def _entsoe(path: Path, text: str, point: str | None) -> Table:
    if text.lstrip().startswith("<"):
        return _entsoe_xml(path, text)
    table = table_of(path, text)
    if any(name.replace(" ", "").lower() == "price[currency/mwh]" for name in table.columns):
        return _entsoe_bulk(table, point)
    interval = next(name for name in table.columns if name.lower().startswith(("mtu", "time interval")))
    price = next((name for name in table.columns if _ENTSOE_PRICE.search(name)), None)
    if price is None:
        raise InputError(
            Problem(
                "has no column of day-ahead prices",
                "Export day-ahead prices.",
                path,
                "header",
                list(table.columns),
            )
        )
    if "Area" in table.columns:
        table = _one_of(table, "Area", point, "bidding zone")
    table, notes = _first_sequence(table)
    filled = [row for row, cell in enumerate(table.columns[interval]) if cell]
    table = _kept(table, filled)
    match = _ENTSOE_PRICE.search(price)
    currency = (match.group(1) if match else "EUR").lower()
    if currency == "currency":
        currency = _currency(table)
    moments, zone = _entsoe_times(table, interval)
    name = f"price_{currency}_per_mwh"
    return replace(
        _with_times(table, moments, zone, {name: table.columns[price]}),
        layout="ENTSO-E day-ahead prices",
        notes=tuple(notes),
    )


def _currency(table: Table) -> str:
    return next((cell for cell in table.columns.get("Currency", []) if cell), "EUR").lower()


def _first_sequence(table: Table) -> tuple[Table, list[str]]:
    """The first auction where an area has several: Sequence 1 is the coupled market's."""
    cells = table.columns.get("Sequence")
    known = sorted({cell for cell in cells or [] if cell})
    if cells is None or len(known) < 2:
        return table, []
    wanted = {"Sequence 1", "Without Sequence", "Sequence Sequence 1", "1"}
    rows = [row for row, cell in enumerate(cells) if cell in wanted]
    left = ", ".join(one for one in known if one not in wanted)
    return _kept(table, rows), [f"holds several auctions; Sequence 1 is taken, not {left}"]


def _entsoe_times(table: Table, column: str) -> tuple[list[datetime], str]:
    utc = "utc" in column.lower()
    walls: list[datetime] = []
    marks: list[str | None] = []
    for row, cell in enumerate(table.columns[column]):
        match = _CLOCK.match(cell.strip())
        if match is None:
            raise _refuse(table, row, "is no interval of ENTSO-E", "Give an unchanged export.", cell)
        hour, minute = (int(part) for part in match.group(2).split(":"))
        try:
            walls.append(datetime(*day_month_year(match.group(1)), hour, minute))  # noqa: DTZ001
        except ValueError as error:
            raise _refuse(table, row, "is no time of any calendar", "Correct the value.", cell) from error
        marks.append(match.group(4))
    if utc or all(mark == "UTC" for mark in marks):
        return [wall.replace(tzinfo=UTC) for wall in walls], "UTC"
    if all(mark in ("CET", "CEST") for mark in marks):
        hours = [2 if mark == "CEST" else 1 for mark in marks]
        moments = [
            (wall - timedelta(hours=hour)).replace(tzinfo=UTC)
            for wall, hour in zip(walls, hours, strict=True)
        ]
        return moments, "CET/CEST as marked in each row, made UTC"
    return _local(table, walls, _CENTRAL_EUROPE), "CET/CEST, made UTC"


def _local(table: Table, walls: Sequence[datetime], zone: str) -> list[datetime]:
    origin = datetime(1970, 1, 1)  # noqa: DTZ001
    micro = np.array([(wall - origin) // timedelta(microseconds=1) for wall in walls], dtype=np.int64)
    found, absent = utc_of(micro, zone)
    if absent is not None:
        raise _refuse(table, absent, f"does not exist in {zone}", "Correct the value.", str(walls[absent]))
    return [origin.replace(tzinfo=UTC) + timedelta(microseconds=int(one)) for one in found]


def _entsoe_bulk(table: Table, point: str | None) -> Table:
    price = next(name for name in table.columns if name.replace(" ", "").lower() == "price[currency/mwh]")
    time = next(name for name in table.columns if name.lower().startswith("datetime"))
    area = next((name for name in ("MapCode", "AreaMapCode", "AreaName") if name in table.columns), None)
    if area is not None:
        table = _one_of(table, area, point, "bidding zone")
    name = f"price_{_currency(table)}_per_mwh"
    times = [
        cell if cell.endswith("Z") else f"{cell.partition('.')[0].replace(' ', 'T')}Z"
        for cell in table.columns[time]
    ]
    return replace(
        table,
        columns={"time_utc": times, name: table.columns[price]},
        layout="ENTSO-E bulk day-ahead prices",
        zone="UTC",
    )


def _entsoe_xml(path: Path, text: str) -> Table:
    if "<!DOCTYPE" in text[:4096] or "<!ENTITY" in text[:4096]:
        raise InputError(Problem("declares entities, which no file of ENTSO-E does", "Fetch it again.", path))
    try:
        root = ET.fromstring(text)  # noqa: S314  what declares entities was refused above
    except ET.ParseError as error:
        raise InputError(Problem(f"is not XML: {error}", "Fetch it again.", path)) from error
    series = [one for one in root if _tag(one) == "TimeSeries"]
    first = [
        one
        for one in series
        if _text(one, "classificationSequence_AttributeInstanceComponent.position") in ("", "1")
    ]
    notes = ("holds several auctions; Sequence 1 is taken",) if len(first) < len(series) and first else ()
    times: list[str] = []
    prices: list[str] = []
    currency = "EUR"
    for one in first or series:
        currency = _text(one, "currency_Unit.name") or currency
        for period in (each for each in one if _tag(each) == "Period"):
            _period(period, times, prices)
    columns = {"time_utc": times, f"price_{currency.lower()}_per_mwh": prices}
    if not times:
        raise InputError(Problem("has no prices", "Ask for document type A44.", path))
    lines = list(range(1, len(times) + 1))
    return Table(path, columns, lines, "ENTSO-E Publication_MarketDocument", "UTC", notes=notes)


def _period(period: ET.Element, times: list[str], prices: list[str]) -> None:
    """The prices of a period; positions that are left out repeat the one before (curve type A03)."""
    interval = next(each for each in period if _tag(each) == "timeInterval")
    start, end = (datetime.fromisoformat(_text(interval, key)) for key in ("start", "end"))
    step = timedelta(minutes={"PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}[_text(period, "resolution")])
    points = {
        int(_text(point, "position")): _text(point, "price.amount")
        for point in period
        if _tag(point) == "Point"
    }
    price = ""
    for position in range(1, (end - start) // step + 1):
        price = points.get(position, price)
        times.append(f"{start + (position - 1) * step:%Y-%m-%dT%H:%M:%SZ}")
        prices.append(price)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ET.Element, name: str) -> str:
    return next(((each.text or "").strip() for each in element if _tag(each) == name), "")


# ---- CAISO -----------------------------------------------------------------------------------------


def _is_caiso(head: str) -> bool:
    return "INTERVALSTARTTIME_GMT" in head.partition("\n")[0].upper()


def _caiso(path: Path, text: str, point: str | None) -> Table:
    table = table_of(path, text)
    table = replace(table, columns={name.upper(): cells for name, cells in table.columns.items()})
    table, notes = _caiso_price_rows(table)
    node = next(
        (
            name
            for name in ("NODE", "NODE_ID", "NODE_ID_XML", "PNODE_RESMRID")
            if any(table.columns.get(name, []))
        ),
        None,
    )
    if node is not None:
        table = _one_of(table, node, point, "node")
    if "MARKET_RUN_ID" in table.columns:
        runs = sorted(set(table.columns["MARKET_RUN_ID"]))
        if len(runs) > 1:
            what = f"holds several markets: {', '.join(runs)}"
            raise InputError(Problem(what, "Download one market at a time.", path, "column MARKET_RUN_ID"))
    value = next((name for name in ("LMP_PRC", "PRC", "VALUE", "MW") if name in table.columns), None)
    if value is None:
        raise InputError(
            Problem("has no column of prices", "Download PRC_LMP or PRC_INTVL_LMP.", path, "header")
        )
    columns = {"time_utc": table.columns["INTERVALSTARTTIME_GMT"], "price_usd_per_mwh": table.columns[value]}
    return replace(table, columns=columns, layout="CAISO OASIS prices", zone="UTC", notes=tuple(notes))


def _caiso_price_rows(table: Table) -> tuple[Table, list[str]]:
    """The rows of the whole price: LMP, not its parts for energy, congestion, loss and greenhouse gases."""
    for column, wanted in (("LMP_TYPE", "LMP"), ("XML_DATA_ITEM", "LMP_PRC")):
        cells = table.columns.get(column)
        if cells is None or not any(cells):
            continue
        rows = [row for row, cell in enumerate(cells) if cell == wanted]
        parts = sorted({cell for cell in cells if cell and cell != wanted})
        if not rows:
            what = f"holds {', '.join(parts)} and no whole price"
            raise InputError(Problem(what, "Download LMP prices.", table.path, f"column {column}"))
        return _kept(table, rows), [
            f"rows of {', '.join(parts)} are parts of the price and left out"
        ] if parts else []
    return table, []


# ---- ERCOT -----------------------------------------------------------------------------------------

_ERCOT_ZONE: Final = "America/Chicago"
_ERCOT: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("deliverydate", "operday"),
    "ending": ("hourending",),
    "hour": ("deliveryhour",),
    "interval": ("deliveryinterval",),
    "point": ("settlementpointname", "settlementpoint", "busname", "electricalbus"),
    "price": ("settlementpointprice", "lmp", "price"),
    "flag": ("dstflag", "repeatedhourflag"),
}


def _is_ercot(head: str) -> bool:
    names = {_squeezed(name) for name in head.partition("\n")[0].split(",")}
    return "deliverydate" in names and bool(names & {"hourending", "deliveryhour"})


def _ercot(path: Path, text: str, point: str | None) -> Table:
    table = table_of(path, text)
    theirs = {_squeezed(name): name for name in table.columns}
    names = {
        ours: next((theirs[one] for one in choices if one in theirs), None)
        for ours, choices in _ERCOT.items()
    }
    if names["price"] is None:
        raise InputError(
            Problem(
                "has no column of prices",
                "Download settlement point prices.",
                path,
                "header",
                list(table.columns),
            )
        )
    if names["point"] is not None:
        table = _one_of(table, str(names["point"]), point, "settlement point")
    flags = table.columns[str(names["flag"])] if names["flag"] else ["N"] * len(table)
    moments = [_ercot_time(table, names, row, flag) for row, flag in enumerate(flags)]
    columns = {"price_usd_per_mwh": [cell.replace(",", "") for cell in table.columns[str(names["price"])]]}
    return replace(
        _with_times(
            table, moments, "Central time with ERCOT's flag for the repeated hour, made UTC", columns
        ),
        layout="ERCOT prices",
    )


def _ercot_time(table: Table, names: Mapping[str, str | None], row: int, flag: str) -> datetime:
    cells = {ours: table.columns[name][row] for ours, name in names.items() if name is not None}
    try:
        day = datetime(*month_day_year(cells["date"].partition(" ")[0]))  # noqa: DTZ001  Central time
        hour = int((cells.get("ending") or cells["hour"]).partition(":")[0])
        quarter = int(cells.get("interval") or 1)
        if not (1 <= hour <= 25 and 1 <= quarter <= 4):
            raise ValueError(hour)  # noqa: TRY301  refused with the other mistakes of a time below
        wall = day + timedelta(hours=hour - 1, minutes=15 * (quarter - 1))
    except (ValueError, KeyError, TypeError) as error:
        shown = [cells.get(name) for name in ("date", "ending", "hour", "interval")]
        raise _refuse(
            table, row, "has no delivery date and hour", "Give an unchanged file.", shown
        ) from error
    fold = 1 if flag.upper().startswith(("Y", "T", "1")) else 0
    return wall.replace(tzinfo=ZoneInfo(_ERCOT_ZONE), fold=fold)


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


# ---- Electricity Maps ------------------------------------------------------------------------------


def _is_maps(head: str) -> bool:
    if head[:1] == "{":
        return '"carbonIntensity"' in head
    first = head.partition("\n")[0].lower()
    return "datetime (utc)" in first and "carbon intensity gco" in first


def _maps(path: Path, text: str, point: str | None) -> Table:
    if text.lstrip()[:1] == "{":
        return _maps_json(path, text)
    table = table_of(path, text)
    zone = next((name for name in table.columns if name.lower() in ("zone id", "zone")), None)
    if zone is not None:
        table = _one_of(table, zone, point, "zone")
    time = next(name for name in table.columns if name.lower() == "datetime (utc)")
    times = [cell if cell.endswith("Z") or "+" in cell else f"{cell}Z" for cell in table.columns[time]]
    columns: dict[str, Sequence[str]] = {"time_utc": times}
    for name, cells in table.columns.items():
        lower = name.lower()
        if "carbon intensity" in lower:
            kind = (
                "direct"
                if "direct" in lower
                else "lifecycle"
                if "life" in lower or "lca" in lower
                else "carbon"
            )
            columns[f"{kind}_gco2_per_kwh"] = cells
    notes = _estimated(table)
    return replace(table, columns=columns, layout="Electricity Maps", zone="UTC", notes=notes)


def _estimated(table: Table) -> tuple[str, ...]:
    name = next((one for one in table.columns if one.lower() == "data estimated"), None)
    count = sum(cell.lower() == "true" for cell in table.columns[name]) if name else 0
    return (f"{count} of {len(table)} values are marked as estimated",) if count else ()


def _maps_json(path: Path, text: str) -> Table:
    document = document_of(path, text)
    rows = next(
        (document[key] for key in ("history", "data", "forecast") if isinstance(document.get(key), list)),
        [document],
    )
    kinds = {row.get("emissionFactorType", "lifecycle") for row in rows}
    if len(kinds) > 1:
        raise InputError(Problem(f"mixes {' and '.join(sorted(kinds))} factors", "Ask for one kind.", path))
    kind = kinds.pop() if kinds else "lifecycle"
    columns = {
        "time_utc": [str(row["datetime"]) for row in rows],
        f"{kind}_gco2_per_kwh": [
            "" if row.get("carbonIntensity") is None else str(row["carbonIntensity"]) for row in rows
        ],
    }
    return Table(path, columns, list(range(1, len(rows) + 1)), "Electricity Maps", "UTC")


LAYOUTS: Final = (
    Layout("ENTSO-E", _is_entsoe, _entsoe),
    Layout("CAISO OASIS", _is_caiso, _caiso),
    Layout("ERCOT", _is_ercot, _ercot),
    Layout("Electricity Maps", _is_maps, _maps),
)
