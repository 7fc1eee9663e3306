"""The OpenAPI 3.1 document, made from the operations and from the very structs they parse with."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from central.web.operations import AnyOperation, Nothing, Work
from central.web.parsing import KEY_PATTERN
from central.web.problems import MEDIA_TYPE, WRONG_FORM, Problem, status_of_reason
from shared.reasons import Reason

_JSON = "application/json"
_EVERYWHERE = (
    Reason.SIGN_IN_NEEDED,
    Reason.SESSION_ENDED,
    Reason.PERMISSION_MISSING,
    Reason.TOO_MANY_REQUESTS,
    Reason.UNEXPECTED,
)
_BODY = (Reason.BODY_TOO_LARGE, Reason.REQUEST_SLOW)
_UNAVAILABLE = (503, Reason.STORE_UNAVAILABLE)
_WRONG_FORM = (WRONG_FORM, Reason.REQUEST_MALFORMED)
_UNSUPPORTED = (415, Reason.REQUEST_MALFORMED)

Schema = dict[str, Any]


def build_document(operations: Sequence[AnyOperation], root: str) -> bytes:
    """The document as JSON. ``root`` stands before every operation's path."""
    shapes = _Shapes(operations)
    paths: dict[str, Any] = {}
    for operation in operations:
        methods = paths.setdefault(root + operation.path, {})
        methods[operation.method.lower()] = _build_operation(operation, shapes)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "一码通 One Code",
            "version": "1",
            "description": "422: the request's form is wrong. 409: its form is right, and central"
            " refuses for the reason given. 请求格式不对为 422；格式正确而中心拒绝为 409。",
        },
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "onecode",
                    "description": "A browser's; what changes something carries X-CSRF-Token.",
                },
            },
        },
        "security": [{"token": []}, {"session": []}],
    }
    return msgspec.json.encode(document)


class _Shapes:
    """The schemas of every struct an operation names."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        shapes: list[Any] = [Problem]
        for each in operations:
            shapes += [each.path_shape, each.query_shape, each.answer]
            shapes += [each.body_shape] if each.body_shape is not None else []
        schemas, components = msgspec.json.schema_components(
            shapes, ref_template="#/components/schemas/{name}"
        )
        self._schemas = {repr(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
        named = {schema["$ref"].rpartition("/")[2] for schema in schemas if "$ref" in schema}
        parameters = {
            self.of(shape)["$ref"].rpartition("/")[2]
            for each in operations
            for shape in (each.path_shape, each.query_shape)
        }
        self._all = components
        self.components = {
            name: schema for name, schema in components.items() if name not in parameters
        }
        assert named <= components.keys()

    def of(self, shape: Any) -> Schema:
        """A reference to a shape, or its schema."""
        found: Schema = self._schemas[repr(shape)]
        return found

    def fields(self, shape: Any) -> Iterator[tuple[str, Schema, bool]]:
        """Name, schema and whether it must be given, of each field of a struct."""
        schema = self._all[self.of(shape)["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        for name, field in schema["properties"].items():
            yield name, _without_null(field), name in required


def _build_operation(operation: AnyOperation, shapes: _Shapes) -> Schema:
    built: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": f"{operation.summary_zh} · {operation.summary_en}",
        "description": f"权限 permission: {operation.permission}",
        "parameters": list(_list_parameters(operation, shapes)),
        "responses": _build_responses(operation, shapes),
    }
    if operation.body_shape is not None:
        schema = shapes.of(operation.body_shape)
        built["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return built


def _list_parameters(operation: AnyOperation, shapes: _Shapes) -> Iterator[Schema]:
    for shape, where in ((operation.path_shape, "path"), (operation.query_shape, "query")):
        if shape is not Nothing:
            for name, schema, required in shapes.fields(shape):
                yield _parameter(name, where, schema, required=required)
    yield _parameter("X-Request-Id", "header", {"type": "string"})
    if operation.method == "GET":
        yield _parameter("If-None-Match", "header", {"type": "string"})
    if operation.work is Work.WRITE:
        key = {"type": "string", "pattern": KEY_PATTERN, "minLength": 8, "maxLength": 64}
        yield _parameter("Idempotency-Key", "header", key)
    if operation.current is not None:
        yield _parameter("If-Match", "header", {"type": "string"})


def _parameter(name: str, where: str, schema: Schema, *, required: bool = False) -> Schema:
    described: Schema = {"name": name, "in": where, "required": required, "schema": schema}
    if text := schema.get("description"):
        described["description"] = text
    return described


def _build_responses(operation: AnyOperation, shapes: _Shapes) -> Schema:
    good = 201 if operation.created else 200
    tag = {"ETag": {"required": True, "schema": {"type": "string", "pattern": '^"[0-9a-f]{24}"$'}}}
    request_id = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}
    responses: Schema = {
        str(good): {
            "description": HTTPStatus(good).phrase,
            "headers": tag | request_id,
            "content": {_JSON: {"schema": shapes.of(operation.answer)}},
        }
    }
    if operation.method == "GET":
        responses["304"] = {"description": "Not Modified", "headers": tag | request_id}
    for status, reasons in sorted(_list_refusals(operation).items()):
        headers: Schema = dict(request_id)
        if status in {429, 503}:
            headers["Retry-After"] = {"required": True, "schema": {"type": "string"}}
        if status == 401:
            headers["WWW-Authenticate"] = {"required": True, "schema": {"type": "string"}}
        responses[str(status)] = {
            "description": ", ".join(reasons),
            "headers": headers,
            "content": {MEDIA_TYPE: {"schema": shapes.of(Problem)}},
        }
    return responses


def _list_refusals(operation: AnyOperation) -> dict[int, list[str]]:
    """The reasons an operation may refuse with, by their status."""
    pairs = [(status_of_reason(each), each) for each in (*_EVERYWHERE, *operation.reasons)]
    pairs += [_UNAVAILABLE, _WRONG_FORM]
    if operation.body_shape is not None:
        pairs += [(status_of_reason(each), each) for each in _BODY]
        pairs.append(_UNSUPPORTED)
    if operation.work is Work.WRITE:
        pairs.append((409, Reason.IDEMPOTENCY_KEY_USED))
        pairs.append((503, Reason.AUDIT_UNAVAILABLE))
    if operation.current is not None:
        pairs.append((412, Reason.CHANGED_MEANWHILE))
    found: dict[int, list[str]] = {}
    for status, reason in pairs:
        found.setdefault(status, []).append(reason)
    return found


def _without_null(schema: Schema) -> Schema:
    """A field that may be left out is left out of a query, never null."""
    choices: list[Schema] = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        rest: Schema = {key: schema[key] for key in schema if key not in {"anyOf", "default"}}
        return rest | choices[0]
    return schema
