# ruff: noqa: E501 - as their publishers send them
"""Replies in the shapes their publishers document: small, and with what goes wrong in life among them.

WZDx after the examples of WorkZoneFeed 4.x (github.com/usdot-jpo-ode/wzdx, CC0), DATEX II 2.3 as Fintraffic publishes it
and 3 as NDW and National Highways do, Open-Meteo after its documentation.
"""

import json
from datetime import UTC, datetime

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PORTO_LINE = [[-8.6110, 41.1450], [-8.6105, 41.1460], [-8.6100, 41.1470]]


def _event(its_id: str, impact: str, kind: str = "work-zone", end: str = "2026-11-30T18:00:00Z") -> dict[str, object]:
    return {
        "id": its_id,
        "type": "Feature",
        "properties": {
            "core_details": {
                "data_source_id": "1",
                "event_type": kind,
                "road_names": ["Rua de Mouzinho da Silveira"],
                "direction": "northbound",
                "description": "Water main",
            },
            "start_date": "2026-11-20T06:00:00Z",
            "end_date": end,
            "is_start_date_verified": True,
            "vehicle_impact": impact,
        },
        "geometry": {"type": "LineString", "coordinates": PORTO_LINE},
    }


WZDX = json.dumps(
    {
        "feed_info": {"publisher": "TestDOT", "version": "4.2", "update_frequency": 60},
        "type": "FeatureCollection",
        "features": [
            _event("closed", "all-lanes-closed"),
            _event("narrow", "some-lanes-closed"),
            _event("over", "all-lanes-closed", end="2026-11-22T18:00:00Z"),
            _event("detour", "all-lanes-closed", kind="detour"),
            {
                "id": "broken",
                "type": "Feature",
                "properties": {"core_details": {}, "vehicle_impact": "all-lanes-closed"},
            },
        ],
    }
).encode()

PLAIN = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "bridge",
                "properties": {"closed": True, "name": "Ponte", "start_date": "2026-11-23T00:00:00+00:00"},
                "geometry": {"type": "MultiLineString", "coordinates": [PORTO_LINE, PORTO_LINE[:2]]},
            },
            {"type": "Feature", "id": "shop", "properties": {"name": "A shop"}, "geometry": None},
        ],
    }
).encode()

DATEX2_V2 = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<d2LogicalModel modelBaseVersion="2" xmlns="http://datex2.eu/schema/2/2_0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <exchange><supplierIdentification><country>fi</country><nationalIdentifier>FTA</nationalIdentifier></supplierIdentification></exchange>
  <payloadPublication xsi:type="SituationPublication" lang="fi">
    <publicationTime>2026-11-23T09:19:46.460Z</publicationTime>
    <situation id="GUID1" version="1">
      <situationRecord xsi:type="RoadOrCarriagewayOrLaneManagement" id="CLOSED1" version="3">
        <validity><validityStatus>definedByValidityTimeSpec</validityStatus><validityTimeSpecification>
          <overallStartTime>2026-11-23T08:00:00+02:00</overallStartTime>
          <overallEndTime>2026-11-23T20:00:00+02:00</overallEndTime></validityTimeSpecification></validity>
        <generalPublicComment><comment><values><value lang="fi">Silta suljettu</value></values></comment></generalPublicComment>
        <groupOfLocations xsi:type="Linear"><tpegLinearLocation>
          <from xsi:type="TpegNonJunctionPoint"><pointCoordinates><latitude>60.1700</latitude><longitude>24.9400</longitude></pointCoordinates></from>
          <to xsi:type="TpegNonJunctionPoint"><pointCoordinates><latitude>60.1720</latitude><longitude>24.9410</longitude></pointCoordinates></to>
        </tpegLinearLocation></groupOfLocations>
        <roadOrCarriagewayOrLaneManagementType>roadClosed</roadOrCarriagewayOrLaneManagementType>
      </situationRecord>
      <situationRecord xsi:type="RoadOrCarriagewayOrLaneManagement" id="LANES" version="1">
        <roadOrCarriagewayOrLaneManagementType>laneClosures</roadOrCarriagewayOrLaneManagementType>
      </situationRecord>
      <situationRecord xsi:type="RoadOrCarriagewayOrLaneManagement" id="CODED" version="1">
        <groupOfLocations xsi:type="Linear"><alertCLinear><specificLocation>2687</specificLocation></alertCLinear></groupOfLocations>
        <roadOrCarriagewayOrLaneManagementType>roadClosed</roadOrCarriagewayOrLaneManagementType>
      </situationRecord>
    </situation>
  </payloadPublication>
</d2LogicalModel>"""

DATEX2_V3 = b"""<?xml version="1.0" encoding="UTF-8"?>
<mc:messageContainer xmlns:mc="http://datex2.eu/schema/3/messageContainer" xmlns:sit="http://datex2.eu/schema/3/situation"
    xmlns:com="http://datex2.eu/schema/3/common" xmlns:loc="http://datex2.eu/schema/3/locationReferencing"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <mc:payload xsi:type="sit:SituationPublication" lang="nl" modelBaseVersion="3">
    <sit:situation id="NDW1">
      <sit:situationRecord xsi:type="sit:RoadOrCarriagewayOrLaneManagement" id="NDW1_1" version="1">
        <sit:validity><com:validityStatus>active</com:validityStatus><com:validityTimeSpecification>
          <com:overallStartTime>2026-11-23T06:00:00Z</com:overallStartTime></com:validityTimeSpecification></sit:validity>
        <sit:locationReference xsi:type="loc:LinearLocation"><loc:gmlLineString srsName="EPSG:4326">
          <loc:posList>52.3700 4.8950 52.3710 4.8960 52.3720 4.8990</loc:posList></loc:gmlLineString></sit:locationReference>
        <sit:roadOrCarriagewayOrLaneManagementType>carriagewayClosures</sit:roadOrCarriagewayOrLaneManagementType>
      </sit:situationRecord>
      <sit:situationRecord xsi:type="sit:RoadOrCarriagewayOrLaneManagement" id="NDW1_2" version="1">
        <sit:validity><com:validityStatus>suspended</com:validityStatus></sit:validity>
        <sit:roadOrCarriagewayOrLaneManagementType>roadClosed</sit:roadOrCarriagewayOrLaneManagementType>
      </sit:situationRecord>
      <sit:situationRecord xsi:type="sit:RoadOrCarriagewayOrLaneManagement" id="LAMBERT" version="1">
        <sit:locationReference><loc:gmlLineString srsName="EPSG:31370">
          <loc:posList>149000 170000 150000 170000</loc:posList></loc:gmlLineString></sit:locationReference>
        <sit:roadOrCarriagewayOrLaneManagementType>roadClosed</sit:roadOrCarriagewayOrLaneManagementType>
      </sit:situationRecord>
    </sit:situation>
  </mc:payload>
</mc:messageContainer>"""

OPEN_METEO = json.dumps(
    {
        "latitude": 41.15,
        "longitude": -8.61,
        "generationtime_ms": 0.42,
        "utc_offset_seconds": 3600,
        "timezone": "Europe/Lisbon",
        "timezone_abbreviation": "WEST",
        "elevation": 93.0,
        "hourly_units": {
            "time": "iso8601",
            "temperature_2m": "\u00b0C",
            "precipitation": "mm",
            "snowfall": "cm",
            "visibility": "m",
            "weather_code": "wmo code",
        },
        "hourly": {
            "time": [f"2026-11-23T{hour:02}:00" for hour in range(8, 16)],
            "temperature_2m": [9.0, 9.0, 10.0, 11.0, 1.0, -1.0, 4.0, None],
            "precipitation": [0.0, 0.0, 0.6, 6.2, 1.0, 0.4, 0.0, None],
            "snowfall": [0.0, 0.0, 0.0, 0.0, 0.7, 0.0, 0.0, None],
            "visibility": [24000.0, 24000.0, 9000.0, 4000.0, 2000.0, 8000.0, 300.0, None],
            "weather_code": [3, 3, 61, 65, 73, 61, 45, None],
        },
    }
).encode()
