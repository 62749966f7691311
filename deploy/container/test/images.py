"""Images of this machine's nginx and PostgreSQL, so that tests need not download the official ones."""

import re
import shutil
from pathlib import Path

from engine import run

# As in the official image of nginx.
NGINX_CONFIGURATION = """\
user nginx;
pid /run/nginx.pid;
events {}
http {
    include /etc/nginx/mime.types;
    client_body_temp_path /var/cache/nginx/client_temp;
    proxy_temp_path /var/cache/nginx/proxy_temp;
    fastcgi_temp_path /var/cache/nginx/fastcgi_temp;
    uwsgi_temp_path /var/cache/nginx/uwsgi_temp;
    scgi_temp_path /var/cache/nginx/scgi_temp;
    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX = """\
FROM scratch
COPY root /
CMD ["nginx", "-g", "daemon off;"]
"""

# Initializes the database like the official image, with the same variables, before it listens on TCP.
POSTGRES_ENTRY = """\
#!/bin/sh
set -eu
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \\
        --auth=scram-sha-256 --no-locale --encoding=UTF8
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_USER" | postgres --single postgres
fi
exec postgres -c listen_addresses='*'
"""
POSTGRES = """\
FROM scratch
COPY root /
COPY --chown=postgres data /var/lib/postgresql/data
ENV PATH={bin}:/usr/bin PGDATA=/var/lib/postgresql/data
STOPSIGNAL SIGINT
CMD ["/entry"]
"""


def image_of_nginx(folder):
    """Builds the image and returns its name."""
    root = folder / "nginx/root"
    for name in "etc/nginx/conf.d", "var/log/nginx", "var/cache/nginx":
        (root / name).mkdir(parents=True)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    copy(root, [program], ["/etc/nginx/mime.types"])
    (root / "etc/nginx/nginx.conf").write_text(NGINX_CONFIGURATION)
    (root / "etc/passwd").write_text("root:x:0:0::/:/\nnginx:x:101:101::/:/\n")
    (root / "etc/group").write_text("nginx:x:101:\n")
    for name, stream in ("access", "stdout"), ("error", "stderr"):
        (root / f"var/log/nginx/{name}.log").symlink_to(f"/dev/{stream}")
    return build("nginx", root.parent, NGINX)


def image_of_postgres(folder):
    """Builds the image and returns its name."""
    root = folder / "postgres/root"
    for name in "etc", "var":
        (root / name).mkdir(parents=True)
    (root / "var/run").symlink_to("/run")
    (root.parent / "data").mkdir(mode=0o700)
    home = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: float(path.name))
    programs = [home / "bin" / name for name in ("initdb", "pg_isready", "postgres")]
    extensions = [path for path in home.glob("lib/*.so") if "llvm" not in path.name]
    copy(root, ["/bin/sh", *programs], [*extensions, f"/usr/share/postgresql/{home.name}"])
    (root / "etc/passwd").write_text("postgres:x:999:999::/:/bin/sh\n")
    (root / "etc/group").write_text("postgres:x:999:\n")
    (root / "entry").write_text(POSTGRES_ENTRY)
    (root / "entry").chmod(0o755)
    return build("postgres", root.parent, POSTGRES.format(bin=home / "bin"))


def copy(root, programs, others):
    """Copies programs with their libraries, and other files and folders, into the root of an image."""
    libraries = re.findall(r"/\S+", "".join(run("ldd", program) for program in programs))
    run("cp", "--parents", "--recursive", "--dereference", *programs, *set(libraries), *others, root)


def build(name, context, containerfile):
    (context / "Containerfile").write_text(containerfile)
    image = f"localhost/reelshelf-{name}:test"
    run("podman", "build", f"--tag={image}", context)
    return image
