"""`python -m proofmail`."""

import sys

from proofmail.cli import main

sys.exit(main())
