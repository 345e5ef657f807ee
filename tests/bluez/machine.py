"""A virtual machine in QEMU, without KVM: a Debian kernel with Bluetooth, on this system's own files, which it cannot change."""

from contextlib import contextmanager
import gzip
import lzma
from pathlib import Path
import re
import shlex
import shutil
import subprocess

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "dbus-daemon": "dbus",
    "bluetoothctl": "bluez",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
}
"""Program → the Debian package that brings it."""
MODULES = (
    *("virtio_pci", "9pnet_virtio", "9p", "overlay"),
    *("jitterentropy_rng", "ansi_cprng", "cmac", "ecb", "algif_hash", "algif_skcipher", "hci_vhci", "uhid"),
)
_INIT = """#!/bin/busybox sh
busybox mkdir -p /proc /sys /dev /lower /upper /system
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
for module in {modules}; do busybox insmod /modules/$module || echo "no $module"; done
busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 files /lower
busybox mount -t tmpfs tmpfs /upper
busybox mkdir -p /upper/changes /upper/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/upper/changes,workdir=/upper/work overlay /system
for folder in proc sys dev; do busybox mount --move /$folder /system/$folder; done
busybox mount -t tmpfs tmpfs /system/run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
busybox chroot /system {program} >/system/dev/ttyS1 2>/system/dev/console
echo "the program ended: $?"
busybox poweroff -f
"""


class MachineError(Exception):
    """The machine cannot be built or run; its text says what to do."""


def missing():
    """The Debian packages that are not there."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return [package for program, package in PACKAGES.items() if not shutil.which(program, path=path)]


def install(packages):
    """Install them with apt. Raises `MachineError` where that may not be."""
    if packages and _run("id", "-u").strip() != "0":
        raise MachineError(
            f"Missing: {' '.join(packages)}. Install them (apt-get install {' '.join(packages)}), or run this as root."
        )
    if packages:
        _run("apt-get", "update", "-q")
        _run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)


def build(folder, program):
    """Give the kernel and the first file system (initramfs) of a machine that runs `program`, made in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    package = _kernel_package(folder)
    tree = folder / package.stem
    if not tree.exists():
        part = folder / "unpacking"
        shutil.rmtree(part, ignore_errors=True)
        _run("dpkg-deb", "--extract", package, part)
        part.rename(tree)
    kernel = next((tree / "boot").glob("vmlinuz-*"))
    return kernel, _initramfs(folder, tree, kernel.name.removeprefix("vmlinuz-"), program)


def _kernel_package(folder):
    depends = _run("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-\d\S+)", depends)
    if not found:
        raise MachineError("apt knows no Debian kernel linux-image-amd64: run apt-get update, on Debian for amd64.")
    if not list(folder.glob(f"{found[1]}_*.deb")):
        _run("apt-get", "download", "-q", found[1], cwd=folder)
    return next(folder.glob(f"{found[1]}_*.deb"))


def _initramfs(folder, tree, release, program):
    root = folder / "initramfs"
    shutil.rmtree(root, ignore_errors=True)
    (root / "modules").mkdir(parents=True)
    (root / "bin").mkdir()
    shutil.copy(shutil.which("busybox"), root / "bin")
    base = tree / "usr" if (tree / "usr/lib/modules").exists() else tree
    _run("depmod", "--basedir", base, release)
    names = []
    for path in _in_order(base, release):
        names.append(path.name.partition(".ko")[0] + ".ko")
        data = path.read_bytes()
        (root / "modules" / names[-1]).write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)
    init = root / "init"
    init.write_text(_INIT.format(modules=" ".join(names), program=shlex.join(map(str, program))))
    init.chmod(0o755)
    listing = "\n".join(path.relative_to(root).as_posix() for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--quiet", "--create", "--format=newc"], input=listing.encode(), capture_output=True, check=True, cwd=root
    ).stdout
    out = folder / "initramfs.gz"
    out.write_bytes(gzip.compress(archive, 1))
    return out


def _in_order(base, release):
    """The modules' files with all that they depend on, each after what it needs."""
    files = {}
    for module in MODULES:
        for line in _run("modprobe", "--dirname", base, "--set-version", release, "--show-depends", module).splitlines():
            if line.startswith("insmod "):
                files[Path(line.split()[1])] = None
    return list(files)


@contextmanager
def running(kernel, initramfs, console):
    """The machine, with its program's standard output as a pipe of lines; whatever happens, it is ended."""
    machine = subprocess.Popen(
        [
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"),
            *("-display", "none", "-monitor", "none", "-no-reboot", "-nic", "none"),
            *("-serial", f"file:{console}", "-serial", "stdio"),
            *("-fsdev", "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap"),
            *("-device", "virtio-9p-pci,fsdev=files,mount_tag=files"),
            *("-kernel", str(kernel), "-initrd", str(initramfs)),
            *("-append", "console=ttyS0 panic=-1 mitigations=off quiet"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        yield machine
    finally:
        machine.kill()
        machine.wait()


def _run(*command, cwd=None):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise MachineError(f"{' '.join(map(str, command))} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
