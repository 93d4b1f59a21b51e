"""CRI as its own definition has it: every service, method and message of Kubernetes' api.proto, made at run time from the descriptor set
that lab/cri.sh compiles (LAB_CRI_DESCRIPTORS). v1alpha2 was v1 under another package, so its definition is the same file, renamed.
"""

import os

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

VERSIONS = ("v1", "v1alpha2")
PACKAGE = "runtime."


class Api:
    """One version of the interface."""

    def __init__(self, version, descriptors=None):
        self.version = version
        self.pool = descriptor_pool.DescriptorPool()
        self.methods = {}
        """By service and name, such as ImageService/PullImage, in the order of the definition."""
        with open(descriptors or os.environ["LAB_CRI_DESCRIPTORS"], "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        for file in files.file:
            if file.package.startswith(PACKAGE):
                self.add(file)
            else:
                self.pool.Add(file)

    def add(self, file):
        rename(file, f".{file.package}.", f".{PACKAGE}{self.version}.")
        file.package = PACKAGE + self.version
        self.pool.Add(file)
        for service in file.service:
            described = self.pool.FindServiceByName(f"{file.package}.{service.name}")
            for method, definition in zip(described.methods, service.method):
                self.methods[f"{service.name}/{method.name}"] = Method(self, method, definition.server_streaming)

    def message(self, descriptor):
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)


class Method:
    def __init__(self, api, descriptor, streams):
        self.api = api
        self.path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        self.input = descriptor.input_type
        self.output = descriptor.output_type
        self.streams = streams

    def request(self, fields):
        """fields: a dictionary with the field names of api.proto."""
        return json_format.ParseDict(fields, self.api.message(self.input)()).SerializeToString()

    def answer(self, content):
        return json_format.MessageToDict(self.api.message(self.output).FromString(content), preserving_proto_field_name=True)


def rename(definition, old, new):
    """Every reference to a type, wherever it stands in a FileDescriptorProto."""
    for field, value in definition.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if field.label == field.LABEL_REPEATED else [value]:
                rename(part, old, new)
        elif field.name in ("type_name", "input_type", "output_type") and value.startswith(old):
            setattr(definition, field.name, new + value[len(old):])
