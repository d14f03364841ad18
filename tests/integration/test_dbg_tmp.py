import json, time
from tests.blackbox.requests import plain
from tests.blackbox.asking import ask, codes
from tests.blackbox.waiting import wait_until
def test_hung(world, own_redis):
    s = world.serve(STORE__URL=own_redis.url)
    ask(world, [plain("warm")])
    print(own_redis.command("CLIENT", "PAUSE", "25000", "ALL"))
    t=time.time()
    ev = ask(world, [plain(f"r{n}", f"user-{n}") for n in range(5)], 40)
    print("hung: 5 stories after", time.time()-t, [e.body["timings"] for e in ev], s.json("/health/ready")["status"])
    t=time.time()
    world.publish([plain(f"x{n}", f"user-{n}") for n in range(60)])
    while time.time()-t < 24:
        time.sleep(2)
        print(round(time.time()-t), len(world.outcomes(0,1)), s.metric("jiraiya_in_flight"))
        if len(world.outcomes(0,1)) >= 66: break
    print(s.log[-3000:])
    t=time.time()
    time.sleep(3)
    print(s.json("/health/ready")["status"], "after it is back, without traffic")
    print(s.log.count("does not work"), s.log.count("is back"))
    assert 0

def test_idle(world, own_redis):
    s = world.serve(STORE__URL=own_redis.url)
    own_redis.stop()
    time.sleep(8)
    print("idle, redis down:", s.json("/health/ready")["status"])
    ask(world, [plain("r1")])
    print("one story later:", s.json("/health/ready")["status"])
    own_redis.start()
    time.sleep(12)
    print("idle, redis up:", s.json("/health/ready")["status"])
    assert 0
