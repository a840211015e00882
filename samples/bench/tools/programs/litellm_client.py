"""LiteLLM and a proxy: `litellm_client.py behind URL` where LiteLLM's model servers are behind the proxy, `litellm_client.py before URL GONE` where LiteLLM is; URL is what the client of OpenAI asks. A line for each check."""
import os
import sys
import time

import openai


def say(name, check):
    try:
        print(name, check() or "ok", flush=True)
    except Exception as failure:  # whatever it is, it is the check's result
        print(name, type(failure).__name__, str(failure).replace("\n", " ")[:200], flush=True)


client = openai.OpenAI(base_url=sys.argv[2] + "v1", api_key=os.environ["KEY"], max_retries=0, timeout=60)


def ask(stream):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}], stream=stream)


def words(answer, most):
    """When each of the first words came; then the client leaves."""
    times = []
    for chunk in answer:
        if chunk.choices and chunk.choices[0].delta.content:
            times.append(time.monotonic())
        if len(times) == most:
            break
    answer.close()
    return times


def whole():
    for _ in range(20):
        said = ask(False).choices[0].message.content
        if said != "whole":
            return said
    return None


def streams():
    words(ask(True), 1)  # LiteLLM loads what it needs, and says nothing meanwhile
    for _ in range(6):
        times = words(ask(True), 10)
        if len(times) < 10 or times[-1] - times[0] < 0.6:
            return f"{len(times)} words within {times[-1] - times[0]:.2f} s"
    return None


def leaves():
    lines = lambda: sum(1 for _ in open(sys.argv[3], encoding="ascii")) if os.path.exists(sys.argv[3]) else 0
    before = lines()
    words(ask(True), 5)
    until = time.monotonic() + 3
    while lines() == before:
        if time.monotonic() > until:
            return "the model server goes on after the client has left"
        time.sleep(0.02)
    return None


say("whole", whole)
say("streams", streams)
if sys.argv[1] == "before":
    say("leaves", leaves)
