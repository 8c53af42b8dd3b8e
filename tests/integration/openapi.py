# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reference/openapi.json against real answers: as much of JSON Schema as it uses.

A key that the document does not name is an error here, so that nothing is answered undescribed.
"""

import json
import pathlib
import re

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/openapi.json"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
KNOWN = {"type", "properties", "required", "items", "enum", "oneOf", "allOf", "nullable", "pattern",
         "minimum", "maximum", "minLength", "maxLength", "additionalProperties", "description",
         "example", "default", "$ref"}


class Contract:
    def __init__(self, document=None):
        self.document = document or json.loads(DOCUMENT.read_text())

    def resolve(self, schema):
        while "$ref" in schema:
            found = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def check(self, value, schema, where="answer"):
        """Raises AssertionError that says where and what."""
        schema = self.resolve(schema)
        assert set(schema) <= KNOWN, f"{where}: the validator does not know {set(schema) - KNOWN}"
        if value is None and schema.get("nullable"):
            return
        for part in schema.get("allOf", []):
            self.check(value, part, where)
        if "oneOf" in schema:
            wrong = []
            for part in schema["oneOf"]:
                try:
                    self.check(value, part, where)
                except AssertionError as error:
                    wrong.append(str(error))
            assert len(schema["oneOf"]) - len(wrong) == 1, f"{where}: {wrong or 'more than one'}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
        self.check_type(value, schema, where)

    def check_type(self, value, schema, where):
        kind = schema.get("type")
        if kind in ("integer", "number"):
            allowed = int if kind == "integer" else (int, float)
            assert isinstance(value, allowed) and not isinstance(value, bool), f"{where}: {value!r}"
            assert schema.get("minimum", value) <= value <= schema.get("maximum", value), \
                f"{where}: {value}"
        elif kind is not None:
            assert isinstance(value, TYPES[kind]), f"{where}: {value!r} is no {kind}"
        if kind == "string":
            assert re.search(schema.get("pattern", ""), value), f"{where}: {value!r}"
            assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        elif kind == "array":
            for number, item in enumerate(value):
                self.check(item, schema["items"], f"{where}[{number}]")
        elif kind == "object" and "properties" in schema:
            missing = set(schema.get("required", [])) - set(value)
            assert not missing, f"{where}: {sorted(missing)} missing"
            unknown = set(value) - set(schema["properties"])
            assert not unknown, f"{where}: {sorted(unknown)} not described"
            for key, item in value.items():
                self.check(item, schema["properties"][key], f"{where}.{key}")

    def operation(self, method, path):
        """What the document has for a path, whose parts it may write as {…}."""
        for pattern, item in self.document["paths"].items():
            shape = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(pattern))
            if method in item and re.fullmatch(shape, path):
                return item[method]
        raise AssertionError(f"{method} {path} is not described")

    def check_answer(self, method, path, status, body):
        responses = self.operation(method, path)["responses"]
        response = self.resolve(responses.get(str(status)) or responses["default"])
        self.check(body, response["content"]["application/json"]["schema"], f"{method} {path}")

    def check_event(self, name, body):
        self.check(body, self.document["components"]["schemas"]["Event" + name.capitalize()], name)

    def reads(self):
        """The paths that are read, without those that need a name."""
        return [path for path, item in self.document["paths"].items()
                if "get" in item and "{" not in path]
