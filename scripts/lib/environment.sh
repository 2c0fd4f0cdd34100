# Sourced by scripts/demo, test, bench, drill and fuzz: finds a Python and has it prepare .venv.
#
# Afterwards $root is the checkout, and $root/.venv is what the file of locked requirements says
# that `prepare` was given. PYTHON names the Python to use; otherwise the first that will do is
# taken. Exits with status 1, having said on stderr what to install, when there is none.

script=scripts/$(basename -- "$0")
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1

# A bare environment (env -i, cron) may bring no PATH; and these variables would put other
# packages in front of the locked ones.
PATH=${PATH:-/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin}
export PATH
unset PYTHONHOME PYTHONPATH

# Ask the Python $1 whether it will do. A command on the PATH need not run (pyenv leaves some
# that don't), so it is asked. Status 3: not among the versions that the packages were locked
# for (a Python that the user names may be newer); 4: it cannot make a virtual environment.
will_do() {
    "$1" -I -c '
import sys
newest = (3, 99) if sys.argv[1] else (3, 14)
if not (3, 11) <= sys.version_info[:2] <= newest:
    sys.exit(3)
try:
    import venv
    from ensurepip import version
except ImportError:
    sys.exit(4)
' "${PYTHON:-}" >/dev/null 2>&1
}

# Set $python, or say what to install and exit.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11
    fi
    incomplete=
    for python in "$@"; do
        status=0
        will_do "$python" || status=$?
        case $status in
            0) return ;;
            4) incomplete=${incomplete:-$python} ;;
        esac
    done
    if [ -n "$incomplete" ]; then
        wrong="$incomplete has no venv and ensurepip, which make the virtual environment"
    elif [ -n "${PYTHON:-}" ]; then
        wrong="PYTHON=$PYTHON is no Python 3.11 or later that runs"
    else
        wrong="no Python 3.11 to 3.14 found (tried $*)"
    fi
    cat >&2 <<TXT
$script: $wrong. Install one and run this again:
  Debian, Ubuntu   apt install python3 python3-venv
  Fedora           dnf install python3
  macOS            brew install python, or the installer from python.org
or name another: PYTHON=/path/to/python3 $script
TXT
    exit 1
}

# Make .venv what the locked requirements in the file scripts/$1 say.
prepare() {
    find_python
    "$python" -I "$root/scripts/lib/environment.py" "$script" "$1" || exit 1
}
