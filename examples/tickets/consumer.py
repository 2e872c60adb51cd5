"""A guide goes with each group: whoever gets five tickets or more gets one more, for the guide.

Reads what the house publishes from NATS, with the public client (nats-py) and the public
CloudEvents library, and asks at the open door as any other system does. Stop it and start it again:
NATS remembers how far it came, and what is asked twice under one Idempotency-Key is done once.

    pip install nats-py cloudevents
    python consumer.py [NATS] [DOOR] [TOKEN]
"""

import asyncio, json, sys, urllib.request, uuid

import nats
from cloudevents.core.formats.json import JSONFormat

ISSUED = "com.example.tickets.meal-tickets-issued.v1"
GIVEN = dict(enumerate(sys.argv))
NATS = GIVEN.get(1, "nats://127.0.0.1:4222")
DOOR = GIVEN.get(2, "http://127.0.0.1:7080")
TOKEN = GIVEN.get(3, "example-token-of-guides")


def book(event):
    ask = {"booking": str(uuid.uuid5(uuid.NAMESPACE_OID, event.get_id())), "tickets": 1}
    request = urllib.request.Request(f"{DOOR}/api/commands/IssueMealTickets", json.dumps(ask).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Idempotency-Key", event.get_id())
    request.add_header("Correlation-Id", event.get_extension("correlationid"))
    urllib.request.urlopen(request).close()


async def main():
    stream = (await nats.connect(NATS)).jetstream()
    issued = await stream.pull_subscribe(f"fait.tickets.{ISSUED}.>", "guides", "fait-tickets")
    while True:
        for message in await fetch(issued):
            event = JSONFormat().read(None, message.data)
            if event.get_data()["tickets"] >= 5:
                await asyncio.to_thread(book, event)
                print("a guide goes with", event.get_subject(), flush=True)
            await message.ack()


async def fetch(issued):
    try:
        return await issued.fetch(10, timeout=5)
    except asyncio.TimeoutError:
        return []


asyncio.run(main())
