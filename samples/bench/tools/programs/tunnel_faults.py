"""What probes saw of faults; standard library only.

    tunnel_faults.py FAULTS LIMIT_MS PATH=LOG…

FAULTS has a line for each fault: KIND BEGUN RECOVERED NEXT TOUCHED-FOR-NEW TOUCHED-FOR-HELD, where the last two are paths separated by commas, or -. LOG is what
TunnelProbe wrote for a path. New connections of paths that are touched must work within the limit after the recovery, at the 99th percentile of the faults of a kind, and
until the next fault; those of the others all the time; held connections break only on paths where they are touched.
"""
import sys
from collections import defaultdict


MARGIN = 2000


def read(file):
    new, held = [], []
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            kind, begun, ended, result = line.rstrip("\n").split(" ", 3)
            (new if kind == "new" else held).append((int(begun), int(ended), result))
    return sorted(new), held


def works_after(new, recovered, until):
    """Milliseconds until every new connection works, None if none does."""
    # the next fault may hit what has begun shortly before
    inside = [one for one in new if recovered <= one[0] < until - MARGIN]
    bad = [begun for begun, _, result in inside if result != "ok"]
    last = max(bad) if bad else -1
    good = [ended for begun, ended, result in inside if begun > last and result == "ok"]
    return min(good) - recovered if good else None


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main():
    limit = int(sys.argv[2])
    logs = {path: read(file) for path, file in (word.split("=", 1) for word in sys.argv[3:])}
    with open(sys.argv[1], encoding="ascii") as lines:
        faults = [line.split() for line in lines if line.strip()]
    times, ok = defaultdict(list), bool(faults)
    hurt = defaultdict(list)
    for kind, begun, recovered, until, for_new, for_held in faults:
        begun, recovered, until = int(begun), int(recovered), int(until)
        for path, (new, held) in logs.items():
            if path in for_new.split(","):
                times[kind, path].append(works_after(new, recovered, until))
            else:
                hurt[kind].extend(f"{path}: a new connection, {begun - fault} ms after the start: {result}" for fault in [begun]
                                  for begun, _, result in new if fault <= begun < until - MARGIN and result != "ok")
            if path not in for_held.split(","):
                hurt[kind].extend(f"{path}: a held connection, {ended - begun} ms after the start: {result}"
                                  for _, ended, result in held if begun <= ended < until)
    for (kind, path), values in times.items():
        known = [value for value in values if value is not None]
        never = len(values) - len(known)
        good = not never and quantile(known, 0.99) <= limit
        ok &= good
        print(f"{kind:18} {path:9} {len(values):3} times: new connections work p50 {quantile(known or [0], 0.5)} ms, p99 {quantile(known or [0], 0.99)} ms "
              f"after the recovery, never {never} times: {'ok' if good else 'FAILED'}")
    for kind in dict.fromkeys(fault[0] for fault in faults):
        ok &= not hurt[kind]
        print(f"{kind:18} what it doesn't touch: {len(hurt[kind])} connections hurt: {'FAILED' if hurt[kind] else 'ok'}")
        for said in hurt[kind][:5]:
            print("   ", said)
    for path, (new, held) in logs.items():
        good = sorted(ended - begun for begun, ended, result in new if result == "ok")
        ok &= bool(good)
        print(f"{path:9} {len(new)} new connections, {len(new) - len(good)} failed, p50 {quantile(good or [0], .5)} ms, p99 {quantile(good or [0], .99)} ms; "
              f"{len(held)} held ones broke")
    sys.exit(0 if ok else 1)


main()
