"""Surroundings that a line of shell makes; it exits with 77 where the system does not let it.

`{run}` is a run of the fake experiment, `{real}` one of a real experiment, `{report}` a report.
"""

OTHER_USER = "setpriv --reuid 12345 --regid 12345 --clear-groups"
OPEN = "chmod -R a+rwX {work} {tmp} {work}/.. ; mkdir -p {cache}; chmod -R a+rwX {cache}; "
MAY = f"{OTHER_USER} sh -c 'exec {{python}} -c 0' 2> /dev/null || exit 77; "
"""Twice, since what root has changed to keeps root's rights until it starts something."""
AS = MAY + OPEN
ENTRY = "for f in {cache}/checkpoints/*.safetensors; do "

SHELL: dict[str, str] = {
    "HOME unset": "unset HOME DISCGAN_BENCH_CACHE; exec {run}",
    "another user": AS + f"HOME=/root exec {OTHER_USER} {{run}}",
    "another user, no HOME": AS + f"unset HOME USER LOGNAME DISCGAN_BENCH_CACHE; exec {OTHER_USER} {{run}}",
    "results of another user": AS + f"mkdir -p results/smoke; chmod 700 results; exec {OTHER_USER} {{run}}",
    "results read-only": AS + f"mkdir -p results/smoke; chmod 555 results/smoke; exec {OTHER_USER} {{run}}",
    "reports read-only": AS + f"mkdir -p reports/smoke; chmod 555 reports/smoke; exec {OTHER_USER} {{run}}",
    "cache read-only": AS + f"chmod -R a-w {{cache}}; exec {OTHER_USER} {{real}}",
    "cache not readable": AS + f"chmod 700 {{cache}}; exec {OTHER_USER} {{real}}",
    "cache entry not readable": AS + f"chmod 600 {{cache}}/checkpoints/*; exec {OTHER_USER} {{real}}",
    "TMPDIR read-only": AS + f"chmod 555 {{tmp}}; exec {OTHER_USER} {{run}}",
    "current folder read-only": AS + f"chmod 555 .; exec {OTHER_USER} {{run}}",
    "cache is a file": "rm -r {cache}; touch {cache}; exec {real}",
    "cache is a link to itself": "rm -r {cache}; ln -s cache {cache}; exec {real}",
    "checkpoints is a file": "rm -r {cache}/checkpoints; touch {cache}/checkpoints; exec {real}",
    "cache deleted while in use": "(sleep 2; rm -rf {cache}) & exec {real}",
    "cache deleted again and again": "(for i in $(seq 40); do rm -rf {cache}; sleep 0.1; done) & exec {real}",
    "cache entry cut": ENTRY + "truncate -s 100 $f; done; exec {real}",
    "cache entry empty": ENTRY + "> $f; done; exec {real}",
    "cache entry a folder": ENTRY + "rm $f; mkdir $f; done; exec {real}",
    "cache entry a full folder": ENTRY + "rm $f; mkdir $f; touch $f/file; done; exec {real}",
    "cache entry a pipe": ENTRY + "rm $f; mkfifo $f; done; exec {real}",
    "cache entry a link to itself": ENTRY + "rm $f; ln -s $(basename $f) $f; done; exec {real}",
    "cache entry a device": ENTRY + "rm $f; ln -s /dev/zero $f; done; exec {real}",
    "cache lock a folder": ENTRY + "rm $f; mkdir ${{f%.safetensors}}.lock; done; exec {real}",
    "cache lock held by a stopped process": ENTRY
    + "rm $f; exec 9> ${{f%.safetensors}}.lock; flock 9; done; {real} 9>&-",
    "cache full": "rm -r {cache}; mkdir small; mount -t tmpfs -o size=16k tmpfs small || exit 77; "
    "DISCGAN_BENCH_CACHE=small exec {real}",
    "results full": "mkdir small; mount -t tmpfs -o size=24k tmpfs small || exit 77; "
    "exec {run} --results small",
    "reports full": "mkdir small; mount -t tmpfs -o size=64k tmpfs small || exit 77; "
    "exec {real} --reports small",
    "results a file": "mkdir results; touch results/smoke; exec {run}",
    "results a link to itself": "mkdir results; ln -s smoke results/smoke; exec {run}",
    "results/trials a file": "mkdir -p results/smoke; touch results/smoke/trials; exec {run}",
    "reports a file": "mkdir reports; touch reports/smoke; exec {run}",
    "index.html a folder": "mkdir -p reports/smoke/index.html; exec {real}",
    "results moved in mid-run": "export NAP_SECONDS=0.5; (sleep 2.5; mv results moved-away) & exec {run}",
    "results deleted in mid-run": "export NAP_SECONDS=0.5; (sleep 2.5; rm -rf results) & exec {run}",
    "reports deleted in mid-run": "(sleep 3; rm -rf reports) & exec {real}",
    "stdout full": "exec {run} > /dev/full",
    "stderr full": "exec {run} 2> /dev/full",
    "stdout closed": "exec {run} >&-",
    "stderr closed": "exec {run} 2>&-",
    "stdin closed": "exec {run} <&-",
    "all closed": "exec {run} <&- >&- 2>&-",
    "stdout a pipe nobody reads": "{run} | true; exit $((${{PIPESTATUS[0]}} > 1))",
    "16 open files": "ulimit -n 16; exec {run}",
    "32 open files": "ulimit -n 32; exec {run}",
    "64 open files": "ulimit -n 64; exec {run}",
    "small files only": "ulimit -f 1; exec {run}",
    "files of 64 KB only": "ulimit -f 64; exec {real}",
    "1 GB of address space": "ulimit -v 1000000; exec {run}",
    "300 MB of address space": "ulimit -v 300000; exec {run}",
    "4 s of processor": "ulimit -t 4; exec {real}",
    "small stack": "ulimit -s 256; exec {run}",
    "umask 077": "umask 077; exec {run}",
    "umask 000": "umask 000; exec {run}",
    "umask 777": "umask 777; exec {run}",
    "SIGTERM ignored": "trap '' TERM; exec {run}",
    "SIGHUP ignored": "trap '' HUP; exec {run}",
    "SIGCHLD ignored": "trap '' CHLD; exec {run}",
    "current folder deleted": "mkdir gone; cd gone; rmdir ../gone; exec {run}",
    "current folder with random.py": "echo 'raise SystemExit(9)' > random.py; exec {run}",
    "current folder with signal.py": "echo 'raise SystemExit(9)' > signal.py; exec {real}",
    "current folder with torch.py": "echo 'raise SystemExit(9)' > torch.py; exec {real}",
    "plug-in a pipe": "mkfifo mine.py; exec {real} --plugin mine.py",
    "plug-in a device": "exec {real} --plugin /dev/zero",
    "plug-in a link to itself": "ln -s mine.py mine.py; exec {real} --plugin mine.py",
    "plug-in a folder": "mkdir mine.py; exec {real} --plugin mine.py",
    "plug-in of 100 MB": "head -c 100M /dev/zero | tr '\\0' '#' > mine.py; exec {real} --plugin mine.py",
    "plug-in of zeros": "head -c 1k /dev/zero > mine.py; exec {real} --plugin mine.py",
    "data a pipe": "mkfifo words; exec {data} words",
    "data a device": "exec {data} /dev/zero",
    "data a link to itself": "ln -s words words; exec {data} words",
    "data a folder": "mkdir words; exec {data} words",
    "data empty": "touch words; exec {data} words",
    "data of 100 MB": "head -c 100M /dev/zero | tr '\\0' 'a' > words; exec {data} words",
    "data no text": "head -c 10k /dev/urandom > words; exec {data} words",
    "report of nothing": "exec {report}",
    "report, reports full": "mkdir -p results small; cp -r {grammar} results/smoke; "
    "mount -t tmpfs -o size=64k tmpfs small || exit 77; exec {report} --reports small",
    "report, stdout full": "mkdir results; cp -r {grammar} results/smoke; exec {report} > /dev/full",
}
