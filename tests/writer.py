"""Run by tests/test_intake.py: records mails until it is killed, and prints each id once its
future has resolved. Usage: writer.py DATABASE ORGANISATION TAG THREADS"""

from __future__ import annotations

import sys
import threading

from proofmail.intake import Intake
from proofmail.store.engine import open_store
from tests.store.house import KEYED, LOG, SIGN, SetClock, arrival, mail


def main(path: str, owner: str, tag: str, threads: str) -> None:
    intake = Intake(open_store(f"sqlite:///{path}"), LOG, SIGN, KEYED, SetClock())
    printing = threading.Lock()

    def work(worker: int) -> None:
        for number in range(1_000_000):
            message = mail(f"{tag} {worker} {number}", message_id=f"{tag}.{worker}.{number}@x")
            record_id = intake.submit(arrival(owner, message)).result()
            with printing:
                sys.stdout.write(f"{record_id}\n")
                sys.stdout.flush()

    for worker in range(int(threads)):
        threading.Thread(target=work, args=(worker,)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
