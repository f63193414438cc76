"""Validates Kubernetes objects (a JSON list on stdin) as an API server with strict fields would.

Usage: validate-objects.py KUBERNETES_VERSION CRD_FILE...; prints a JSON list of problems.
"""

import json
import sys

import jsonschema
import kubernetes_validate
import yaml


def strict(schema):
    """The schema of a custom resource, without room for fields that it does not name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    is_object = closed.get("type") == "object" and isinstance(closed.get("properties"), dict)
    if is_object and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


def read_schemas(files):
    schemas = {}
    for file in files:
        with open(file, encoding="utf-8") as text:
            for crd in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                if not crd or crd["kind"] != "CustomResourceDefinition":
                    continue
                spec = crd["spec"]
                for version in spec["versions"]:
                    if version["served"]:
                        key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                        schemas[key] = version["schema"]["openAPIV3Schema"]
    return schemas


def problems_of(thing, kubernetes, schemas):
    where = f"{thing.get('kind')}/{thing.get('metadata', {}).get('name')}"
    schema = schemas.get((thing.get("apiVersion"), thing.get("kind")))
    if schema is None:
        try:
            kubernetes_validate.validate(thing, kubernetes, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            yield f"{where}: {error.message}"
        return
    closed = strict(schema)
    # The definitions leave these to the API server.
    closed["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
    for error in jsonschema.Draft202012Validator(closed).iter_errors(thing):
        yield f"{where}: {error.json_path}: {error.message}"


def main():
    _, kubernetes, *files = sys.argv
    schemas = read_schemas(files)
    found = [problem for thing in json.load(sys.stdin) for problem in problems_of(thing, kubernetes, schemas)]
    json.dump(found, sys.stdout)


main()
