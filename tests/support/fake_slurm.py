"""The commands of Slurm, as short scripts that start a job as a process at once: enough for submitit."""

from __future__ import annotations

SCRIPTS = {
    "sbatch": """\
test -d "$home" || exit 1
case $(cat "$1") in *--partition=nowhere*)
    echo "sbatch: error: invalid partition specified: nowhere" >&2
    echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2
    exit 1
esac
id=1
while ! mkdir "$home/job-$id" 2>/dev/null; do id=$((id + 1)); done
cp "$1" "$home/job-$id/script"
sed -n 's/^#SBATCH --job-name=//p' "$1" > "$home/job-$id/name"
(SLURM_JOB_ID=$id setsid sh "$home/job-$id/script"; touch "$home/job-$id/over") >/dev/null 2>&1 &
echo "Submitted batch job $id"
""",
    "srun": """\
while :; do
    case $1 in
        --output) out=$2; shift 2;;
        --error) err=$2; shift 2;;
        --*) shift;;
        *) break;;
    esac
done
echo $$ > "$home/job-$SLURM_JOB_ID/step"
exec "$@" > "$home/out" 2> "$home/err"
""",
    "squeue": """\
test -e "$home/is-down" && exit 1
for job in "$home"/job-*; do
    test -e "$job/over" && ! test -e "$job/listed" || echo "${job##*-} $(cat "$job/name")"
done
""",
    "scancel": """\
for word; do
    case $word in
        --state=PENDING) exit;;
        --signal=*) signal=1;;
        --*) ;;
        *) test -n "$signal" || rm -f "$home/job-$word/listed"
           test -e "$home/job-$word/step" && kill -TERM "$(cat "$home/job-$word/step")";;
    esac
done
""",
    "scontrol": 'echo "JobId=$3 JobName=x JobState=OUT_OF_MEMORY Reason=None"\n',
}


def install(folder, monkeypatch):
    """Have this process, and those that it starts, find the commands in a folder; jobs are there, too."""
    for name, script in SCRIPTS.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nhome="{folder}"\n{script}')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
