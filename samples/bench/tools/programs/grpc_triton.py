# A stand-in for Triton Inference Server, made from Triton's own protocol, and Triton's own client against it.
#
#   serve ADDRESS               prints `ready ADDRESS`
#   check ADDRESS CA|-          prints `NAME ok`, or what was seen, for each check
import queue
import sys
import time

import grpc
import grpc_model
import numpy as np
import tritonclient.grpc as triton
from grpc_model import equal
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

MODEL = "simple"


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Adds two tensors; as a stream, one element at a time, as a model that makes tokens does."""

    def ServerLive(self, request, context):
        return pb.ServerLiveResponse(live=True)

    def ServerReady(self, request, context):
        return pb.ServerReadyResponse(ready=True)

    def ModelReady(self, request, context):
        return pb.ModelReadyResponse(ready=request.name == MODEL)

    def ModelMetadata(self, request, context):
        if request.name != MODEL:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{request.name}' is not found")
        tensor = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=MODEL, versions=["1"], platform="stand-in", inputs=[tensor(name=n, datatype="INT32", shape=[-1]) for n in ("A", "B")], outputs=[tensor(name="SUM", datatype="INT32", shape=[-1])]
        )

    @staticmethod
    def sums(request):
        a, b = (np.frombuffer(raw, dtype=np.int32) for raw in request.raw_input_contents)
        return a + b

    @staticmethod
    def answer(request, numbers):
        output = pb.ModelInferResponse.InferOutputTensor(name="SUM", datatype="INT32", shape=[len(numbers)])
        return pb.ModelInferResponse(model_name=MODEL, model_version="1", id=request.id, outputs=[output], raw_output_contents=[numbers.astype(np.int32).tobytes()])

    def ModelInfer(self, request, context):
        if request.model_name == "slow":
            time.sleep(1)
        return self.answer(request, self.sums(request))

    def ModelStreamInfer(self, requests, context):
        for request in requests:
            for number in self.sums(request):
                yield pb.ModelStreamInferResponse(infer_response=self.answer(request, np.array([number])))
                time.sleep(0.05)


def serve(address):
    grpc_model.serve(address, lambda server: service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(), server))


def inputs(a, b):
    made = []
    for name, numbers in (("A", a), ("B", b)):
        made.append(triton.InferInput(name, [len(numbers)], "INT32"))
        made[-1].set_data_from_numpy(np.array(numbers, dtype=np.int32))
    return made


def check(address, ca):
    client = triton.InferenceServerClient(address, ssl=ca != "-", root_certificates=None if ca == "-" else ca)

    def health():
        equal((client.is_server_live(), client.is_server_ready(), client.is_model_ready(MODEL), client.is_model_ready("none")), (True, True, True, False))

    def metadata():
        equal(client.get_model_metadata(MODEL, as_json=True)["versions"], ["1"])
        try:
            client.get_model_metadata("none")
            raise AssertionError("it didn't fail")
        except triton.InferenceServerException as e:
            equal((e.status(), e.message()), ("StatusCode.NOT_FOUND", "Request for unknown model: 'none' is not found"))

    def infer():
        equal(client.infer(MODEL, inputs([1, 2], [3, 4])).as_numpy("SUM").tolist(), [4, 6])

    def compressed():
        equal(client.infer(MODEL, inputs(range(10000), range(10000)), compression_algorithm="gzip").as_numpy("SUM").tolist(), list(range(0, 20000, 2)))

    def large():
        many = np.arange(4_000_000, dtype=np.int32)
        equal(np.array_equal(client.infer(MODEL, inputs(many, many)).as_numpy("SUM"), many * 2), True)

    def parallel():
        answers = queue.Queue()
        for i in range(200):
            client.async_infer(MODEL, inputs([i], [i]), lambda result, error: answers.put(error or int(result.as_numpy("SUM")[0])))
        equal(sorted(answers.get(timeout=20) for _ in range(200)), list(range(0, 400, 2)))

    def stream():
        answers = queue.Queue()
        client.start_stream(lambda result, error: answers.put((time.time(), error or int(result.as_numpy("SUM")[0]))))
        for _ in range(2):
            client.async_stream_infer(MODEL, inputs([1, 2, 3], [1, 1, 1]))
        got = [answers.get(timeout=20) for _ in range(6)]
        client.stop_stream()
        equal([number for _, number in got], [2, 3, 4, 2, 3, 4])
        if got[-1][0] - got[0][0] < 0.2:
            raise AssertionError("answers were held back")

    def deadline():
        try:
            client.infer("slow", inputs([1], [1]), client_timeout=0.2)
            raise AssertionError("it didn't fail")
        except triton.InferenceServerException as e:
            equal(e.status(), "StatusCode.DEADLINE_EXCEEDED")

    grpc_model.run(health, metadata, infer, compressed, large, parallel, stream, deadline)
    client.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
