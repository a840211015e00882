# A stand-in for TensorFlow Serving, made from its own .proto files, and a client of these against it.
#
#   serve ADDRESS               prints `ready ADDRESS`
#   check ADDRESS CA|-          prints `NAME ok`, or what was seen, for each check
import sys
import time

import grpc
import grpc_model
import numpy as np
from grpc_model import equal
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

MODEL = "half_plus_two"


def tensor(numbers):
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=len(numbers))])
    return tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_shape=shape, tensor_content=np.array(numbers, dtype=np.float32).tobytes())


def array(of):
    return np.frombuffer(of.tensor_content, dtype=np.float32)


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The model of TensorFlow Serving's own examples: x / 2 + 2."""

    def Predict(self, request, context):
        name = request.model_spec.name
        if name == "slow":
            time.sleep(1)
        elif name != MODEL:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({name})")
        response = predict_pb2.PredictResponse(outputs={"y": tensor(array(request.inputs["x"]) / 2 + 2)})
        response.model_spec.CopyFrom(request.model_spec)
        response.model_spec.version.value = 123
        return response

    def GetModelMetadata(self, request, context):
        return get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)


def serve(address):
    grpc_model.serve(address, lambda server: prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server))


def check(address, ca):
    if ca == "-":
        channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
    else:
        with open(ca, "rb") as pem:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(pem.read()), options=[("grpc.max_receive_message_length", -1)])
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def request(numbers, name=MODEL):
        made = predict_pb2.PredictRequest(inputs={"x": tensor(numbers)})
        made.model_spec.name = name
        made.model_spec.signature_name = "serving_default"
        return made

    def predict():
        response = service.Predict(request([1, 2, 5]), timeout=20)
        equal(array(response.outputs["y"]).tolist(), [2.5, 3, 4.5])
        equal((response.model_spec.version.value, response.model_spec.signature_name), (123, "serving_default"))

    def compressed():
        response = service.Predict(request(range(10000)), timeout=20, compression=grpc.Compression.Gzip)
        equal(array(response.outputs["y"])[9999], 5001.5)

    def large():
        equal(len(array(service.Predict(request(np.zeros(2_000_000)), timeout=30).outputs["y"])), 2_000_000)

    def parallel():
        calls = [service.Predict.future(request([i]), timeout=20) for i in range(200)]
        equal([array(call.result().outputs["y"])[0] for call in calls], [i / 2 + 2 for i in range(200)])

    def metadata():
        asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        asked.model_spec.name = MODEL
        equal(service.GetModelMetadata(asked, timeout=20).model_spec.name, MODEL)

    def fails(call, code, message):
        try:
            call()
        except grpc.RpcError as e:
            equal((e.code(), e.details() if message else None), (code, message))
        else:
            raise AssertionError("it didn't fail")

    def unknown():
        fails(lambda: service.Predict(request([1], "none"), timeout=20), grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(none)")

    def unimplemented():
        fails(lambda: channel.unary_unary("/tensorflow.serving.PredictionService/None")(b"", timeout=20), grpc.StatusCode.UNIMPLEMENTED, None)

    def deadline():
        fails(lambda: service.Predict(request([1], "slow"), timeout=0.2), grpc.StatusCode.DEADLINE_EXCEEDED, None)

    grpc_model.run(predict, compressed, large, parallel, metadata, unknown, unimplemented, deadline)
    channel.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
