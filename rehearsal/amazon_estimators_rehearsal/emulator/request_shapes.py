"""Hold each request to its service's own model, as the service would: members, types, lengths, patterns.

The emulator's services read what they need of a request and pass over the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]
from ministack.services import s3, sns, stepfunctions

from amazon_estimators_rehearsal.sagemaker.checks.request_schema import faults_of

MODELS = {"states": "stepfunctions", "servicequotas": "service-quotas"}
"""The names of botocore's models where the emulator has another name for the service."""


class UnreadableRequestError(ValueError):
    """Raised for a request whose shape cannot be checked here; the text says why."""


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        service: The emulator's name of the service.
        method: The HTTP method.
        path: The path, as it was sent.
        headers: The headers, by name in lower case.
        body: The body.
        query: The parameters of the query string and of a form, each with its values.
    """

    service: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Any]


def faults_in(request: Request) -> list[str]:
    """Return what does not fit the model of the request's operation.

    Raises:
        UnreadableRequestError: There is no such model or operation, or its form is not read here.
    """
    service = MODELS.get(request.service, request.service)
    if service == "sagemaker" and "x-amz-target" not in request.headers:
        service = "sagemaker-runtime"
    model = _model(service)
    protocol = model.metadata["protocol"]
    if "cbor" in request.headers.get("content-type", ""):
        raise UnreadableRequestError("a CBOR body")
    if "x-amz-target" in request.headers:
        name = request.headers["x-amz-target"].rpartition(".")[2]
        shape = _operation(model, name).input_shape
        members = json.loads(request.body or b"{}")
    elif "Action" in request.query:
        shape = _operation(model, _first(request.query["Action"])).input_shape
        members = _of_form(shape, {name: _first(values) for name, values in request.query.items()})
    elif protocol.startswith("rest"):
        route, labels = _rest_route(request, service)
        shape = route.operation.input_shape
        members = _of_rest(request, route, labels, protocol)
    else:
        raise UnreadableRequestError(f"the protocol {protocol}")
    if shape is None:
        return []
    try:
        # A newer SDK may send members that this model does not know; services pass over them.
        return [fault for fault in faults_of(shape, members) if "Member is unknown" not in fault]
    except re.error:
        raise UnreadableRequestError("a pattern that Python does not read") from None


def refusal(service: str, faults: list[str]) -> Any:
    """Return the answer to a request that does not fit, in the form of its service."""
    noun = "error" if len(faults) == 1 else "errors"
    text = f"{len(faults)} validation {noun} detected: {'; '.join(faults)}"
    if service == "s3":
        return s3._error("InvalidArgument", text, 400)
    if service in {"sns", "iam", "sts", "cloudformation"}:
        return sns._error("ValidationError", text, 400)
    return stepfunctions.error_response_json("ValidationException", text, 400)


@cache
def _model(service: str) -> ServiceModel:
    """Return the model of a service, read for this module alone: botocore's S3 client changes its own."""
    try:
        return ServiceModel(Loader().load_service_model(service, "service-2"), service)
    except UnknownServiceError:
        raise UnreadableRequestError("no model of the service") from None


def _operation(model: Any, name: str) -> Any:
    if name not in model.operation_names:
        raise UnreadableRequestError(f"no operation {name}")
    return model.operation_model(name)


@dataclass(frozen=True)
class _Route:
    """A path and method that lead to an operation of a REST service.

    Attributes:
        operation: Its model.
        pattern: Of its path, with a group for each member there.
        needed: The parameters that its path has.
        required: The parameters and headers that it cannot do without.
    """

    operation: Any
    pattern: re.Pattern[str]
    needed: frozenset[str]
    required: tuple[str, ...]


@cache
def _routes(service: str, method: str) -> tuple[_Route, ...]:
    model, routes = _model(service), []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.http["method"] != method:
            continue
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _place, re.escape(path.rstrip("/")))
        needed = {part.partition("=")[0] for part in query.split("&")} - {"", "x-id"}
        shape = operation.input_shape
        required = tuple(
            shape.members[member].serialization.get("name", member)
            for member in (shape.required_members if shape else ())
            if shape.members[member].serialization.get("location") in ("querystring", "header")
        )
        routes.append(_Route(operation, re.compile(f"{pattern}/?"), frozenset(needed), required))
    return tuple(routes)


def _place(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>.+)" if found[2] else f"(?P<{found[1]}>[^/]+)"


def _rest_route(request: Request, service: str) -> tuple[_Route, Mapping[str, str]]:
    """Return the way to the operation that a path means: of those that fit, the one that needs most of it."""
    fitting = []
    for number, route in enumerate(_routes(service, request.method)):
        if not route.needed <= request.query.keys() or not (match := route.pattern.fullmatch(request.path)):
            continue
        if all(place in request.query or place.lower() in request.headers for place in route.required):
            needs = len(route.needed) + len(route.required)
            fitting.append((needs, -len(match.groupdict()), number, route, match.groupdict()))
    if not fitting:
        raise UnreadableRequestError(f"no operation {request.method} {request.path}")
    return max(fitting, key=lambda fits: fits[:3])[3:]


def _of_rest(request: Request, route: _Route, labels: Mapping[str, str], protocol: str) -> dict[str, Any]:
    shape = route.operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        place = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri" if place in labels:
                members[name] = _converted(member, unquote(labels[place]))
            case "querystring" if place in request.query:
                members[name] = _converted(member, request.query[place])
            case "header" if place.lower() in request.headers:
                members[name] = _converted(member, request.headers[place.lower()])
    if not request.body:
        return members
    if payload and shape.members[payload].type_name == "structure":
        xml = protocol == "rest-xml"
        members[payload] = (
            _of_xml(shape.members[payload], fromstring(request.body)) if xml else json.loads(request.body)
        )
    elif payload:
        members[payload] = request.body
    elif protocol == "rest-json":
        members |= json.loads(request.body)
    return members


def _of_xml(shape: Any, element: Element) -> Any:
    """Return a value of an XML body."""
    if shape.type_name == "list":
        return [_of_xml(shape.member, child) for child in element]
    if shape.type_name != "structure":
        return _converted(shape, element.text or "")
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        tag = (member.member.serialization if flat else {}).get("name") or member.serialization.get(
            "name", name
        )
        children = [child for child in element if child.tag.rpartition("}")[2] == tag]
        if children and flat:
            members[name] = [_of_xml(member.member, child) for child in children]
        elif children:
            members[name] = _of_xml(member, children[0])
    return members


def _of_form(shape: Any, form: Mapping[str, str], place: str = "") -> Any:
    """Return a value of a form of the query protocol, such as that at ``Tags.member.1``."""
    match shape.type_name if shape else "structure":
        case "structure":
            named = {
                name: (member, f"{place}.{member.serialization.get('name', name)}".lstrip("."))
                for name, member in (shape.members if shape else {}).items()
            }
            return {
                name: _of_form(member, form, inner)
                for name, (member, inner) in named.items()
                if _has(form, inner)
            }
        case "list":
            places = _numbered(form, place, "" if shape.serialization.get("flattened") else ".member")
            return [_of_form(shape.member, form, inner) for inner in places]
        case "map":
            places = _numbered(form, place, "" if shape.serialization.get("flattened") else ".entry")
            key, value = (
                part.serialization.get("name", name)
                for part, name in ((shape.key, "key"), (shape.value, "value"))
            )
            return {
                form[f"{inner}.{key}"]: _of_form(shape.value, form, f"{inner}.{value}") for inner in places
            }
    return _converted(shape, form[place])


def _has(form: Mapping[str, str], place: str) -> bool:
    return place in form or any(name.startswith(f"{place}.") for name in form)


def _numbered(form: Mapping[str, str], place: str, step: str) -> list[str]:
    """Return the places of the items of a list or map, which are numbered from 1."""
    places: list[str] = []
    while _has(form, inner := f"{place}{step}.{len(places) + 1}"):
        places.append(inner)
    return places


def _converted(shape: Any, value: Any) -> Any:
    """Return a value of a path, parameter or header as its type; as it is if it is none of that type."""
    if shape.type_name == "list":
        values = value if isinstance(value, list) else [part.strip() for part in value.split(",")]
        return [_converted(shape.member, one) for one in values]
    text = _first(value)
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name in ("float", "double") and re.fullmatch(r"-?[\d.]+", text):
        return float(text)
    if shape.type_name == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _first(values: Any) -> str:
    return str(values[0] if isinstance(values, list) else values)
