"""HL7 FHIR R4B export: a Bundle (collection) of Patient, Device and an Observation for every figure of every phase.

LOINC: 8867-4 heart rate, 9279-1 respiratory rate, 80404-7 SDNN, 72514-3 pain 0–10. RMSSD and similar figures have no LOINC code:
they are coded in `urn:restbeat:figures`, never as 80404-7. The patient is a pseudonym, the strap has no address. A figure that is
None has a dataAbsentReason with the reason as a sentence; where no date is known, the period says so, with the phase's session
times beside it.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from ...analysis.figure_table import FIGURES, LOINC, OWN_CODES, Code, Figure
from ...analysis.figures import PhaseFigures, ResponseFigures
from .session_data import SessionData

UCUM: Final = "http://unitsofmeasure.org"
PHASE: Final = "urn:restbeat:phase"
ALGORITHM: Final = "urn:restbeat:algorithm"
CLIENT: Final = "urn:restbeat:client"
SESSION: Final = "urn:restbeat:session"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ABSENT_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

Resource = dict[str, Any]


_PAIN: Final = Code(LOINC, "72514-3", "Pain severity - 0-10 verbal numeric rating", "{score}", "{score}", "survey")
_TOLD: Final = (
    Code(OWN_CODES, "medication", "Medication taken on that day", "", "", "survey"),
    Code(OWN_CODES, "caffeine", "Caffeine before the session", "", "", "survey"),
    Code(OWN_CODES, "time_of_day", "Time of day at the beginning, on the practice's clock", "", "", "survey"),
)
_RESPONSE: Final = Code(OWN_CODES, "ln-rmssd-change", "Change of lnRMSSD against the session's own baseline", "1", "1")


def write_fhir(data: SessionData) -> bytes:
    """Return the figures of a session as JSON; the beats themselves are not included."""
    ids = _Ids(data)
    resources = [_patient(data, ids), _device(data, ids)]
    for figures in data.report.figures.phases:
        resources += [_figure(data, ids, figures, figure, figure.code) for figure in FIGURES if figure.code]
    spans = {figures.phase: figures for figures in data.report.figures.phases}
    resources += [_response(data, ids, spans[each.phase], each) for each in data.report.figures.responses if each.phase in spans]
    resources += [_pain(data, ids, *one) for one in _scores(data)]
    resources += [
        _told(data, ids, code, getattr(data.reported, code.code)) for code in _TOLD if getattr(data.reported, code.code)
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": SESSION, "value": ids.of("session")},
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
    }
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2) + b"\n"


class _Ids:
    """Resource ids: the same session and pseudonym give the same ids, so a repeated import creates no duplicates."""

    def __init__(self, data: SessionData) -> None:
        identity = (data.began.isoformat() if data.began else None, data.header.client, data.report)
        self._session = blake2b(msgspec.json.encode(identity), digest_size=16).hexdigest()
        self.patient = str(uuid5(NAMESPACE_URL, f"{CLIENT}:{data.header.client or self._session}"))
        self.device = self.of("device")

    def of(self, what: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{SESSION}:{self._session}:{what}"))


def _patient(data: SessionData, ids: _Ids) -> Resource:
    known: Resource = {"identifier": [{"system": CLIENT, "value": data.header.client}]} if data.header.client else {}
    if data.reported.sex:
        known["gender"] = data.reported.sex
    if data.reported.birth_year:
        known["birthDate"] = f"{data.reported.birth_year:04d}"
    return {"resourceType": "Patient", "id": ids.patient, **known}


def _device(data: SessionData, ids: _Ids) -> Resource:
    strap = data.header.device
    fields: Resource = {"manufacturer": strap.manufacturer, "modelNumber": strap.model}
    if strap.name:
        fields["deviceName"] = [{"name": strap.name, "type": "user-friendly-name"}]
    if strap.firmware:
        fields["version"] = [{"type": {"text": "firmware"}, "value": strap.firmware}]
    return {"resourceType": "Device", "id": ids.device, **{key: value for key, value in fields.items() if value}}


def _figure(data: SessionData, ids: _Ids, figures: PhaseFigures, figure: Figure, coded: Code) -> Resource:
    value = figure.of(figures)
    observation = _observation(data, ids, figures, coded)
    if value is None:
        observation["dataAbsentReason"] = _absent(data.why(figures), known=data.report.hrv)
    else:
        observation["valueQuantity"] = _quantity(value, coded)
    return observation


def _response(data: SessionData, ids: _Ids, span: PhaseFigures, response: ResponseFigures) -> Resource:
    observation = _observation(data, ids, span, _RESPONSE)
    if response.delta_ln_rmssd is None:
        observation["dataAbsentReason"] = _absent(response.why, known=data.report.hrv)
    else:
        observation["valueQuantity"] = _quantity(response.delta_ln_rmssd, _RESPONSE)
    bounds = zip(("low", "high"), data.report.intervals.get(response.phase, ()), strict=False)
    components = [
        {
            "code": _code(OWN_CODES, f"ln-rmssd-change-{name}", f"95 % interval, {name}"),
            "valueQuantity": _quantity(value, _RESPONSE),
        }
        for name, value in bounds
    ]
    verdict = {"code": _code(OWN_CODES, "response-class", "Class of the response"), "valueString": response.class_}
    return observation | {"component": [*components, verdict]} | ({"note": [{"text": response.why}]} if response.why else {})


def _scores(data: SessionData) -> Iterator[tuple[str, float, int]]:
    """Yield when each pain score was told, in words and in s of the session, and the score, in order of time."""
    pain = data.pain
    if pain.before is not None:
        yield "before", pain.before_s or 0.0, pain.before
    for n, (at_s, score) in enumerate(pain.during):
        yield f"during {n}", at_s, score
    if pain.after is not None:
        yield "after", data.report.duration_s if pain.after_s is None else pain.after_s, pain.after


def _pain(data: SessionData, ids: _Ids, when: str, at_s: float, score: int) -> Resource:
    observation = _head(ids, f"pain:{when}", _PAIN, f"{_PAIN.text}, {when.partition(' ')[0]}")
    return observation | {"valueQuantity": _quantity(score, _PAIN)} | _at(data, "pain", at_s)


def _told(data: SessionData, ids: _Ids, coded: Code, text: str) -> Resource:
    return _head(ids, coded.code, coded, coded.text) | {"valueString": text} | _at(data, "told", 0.0)


def _at(data: SessionData, what: str, at_s: float) -> Resource:
    """Return when something was told, as far as it is known."""
    if moment := data.moment(at_s):
        return {"effectiveDateTime": _instant(moment)}
    return {"_effectiveDateTime": _UNKNOWN, "extension": [_times(what, at_s, at_s)]}


_UNKNOWN: Final[Resource] = {"extension": [{"url": _ABSENT_EXTENSION, "valueCode": "unknown"}]}


def _observation(data: SessionData, ids: _Ids, figures: PhaseFigures, coded: Code) -> Resource:
    start, end = data.moment(figures.start_s), data.moment(figures.end_s)
    period = {"start": _instant(start), "end": _instant(end)} if start and end else _UNKNOWN
    return {
        **_head(ids, f"{figures.phase}:{coded.code}", coded, f"{coded.text}, {figures.phase}"),
        "extension": [_times(figures.phase, figures.start_s, figures.end_s)],
        "effectivePeriod": period,
        "device": {"reference": f"urn:uuid:{ids.device}"},
        "method": _code(ALGORITHM, data.report.figures.algorithm, data.report.figures.algorithm),
    }


def _head(ids: _Ids, what: str, coded: Code, text: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": ids.of(what),
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": coded.category}]}],
        "code": _code(coded.system, coded.code, coded.text) | {"text": text},
        "subject": {"reference": f"urn:uuid:{ids.patient}"},
    }


def _times(phase: str, start_s: float, end_s: float) -> Resource:
    """Return the extension with a phase's name and its session times."""
    return {
        "url": PHASE,
        "extension": [
            {"url": "name", "valueString": phase},
            {"url": "start_s", "valueDecimal": start_s},
            {"url": "end_s", "valueDecimal": end_s},
        ],
    }


def _absent(why: str, *, known: bool) -> Resource:
    reason = _code(_ABSENT, "unknown", "Unknown") if known else _code(_ABSENT, "unsupported", "Unsupported")
    return reason | ({"text": why} if why else {})


def _code(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _quantity(value: float, coded: Code) -> Resource:
    return {"value": value, "unit": coded.unit, "system": UCUM, "code": coded.ucum}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
