from tests.chores.test_suppress import *
from time import perf_counter
def test_perf(database, work):
    for k in range(10):
        add_fleet(database, OURS, instances=100, flaws=100, first=100*k)
    for n in range(60):
        add_rule(database, OURS, {"vulnerabilityId": text_of(f"CVE-1999-{n:05}")})
    add_rule(database, OURS, {"severity": text_of("HIGH")})
    t=perf_counter(); n=run(work); print("HIGH", n, perf_counter()-t)
    t=perf_counter(); n=run(work); print("nothing", n, perf_counter()-t)
    arn = add_rule(database, OURS, {"vulnerablePackages": [{"name": {"comparison": "PREFIX", "value": "lib"}}]})
    t=perf_counter(); n=run(work); print("packages (older hides)", n, perf_counter()-t)
    with database.transaction(OURS) as c:
        from openinspector.store.filters import filters_of
        for f in filters_of(c, OURS, REGION, size=500):
            if f.arn != arn: remove_filter(c, OURS, REGION, f.arn)
    t=perf_counter(); n=run(work); print("taken over", n, perf_counter()-t)
    remove_rule(database, OURS, arn)
    t=perf_counter(); n=run(work); print("shown", n, perf_counter()-t)
