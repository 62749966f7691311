"""An image of this machine's nginx, for that of nginx itself, which a test is not to fetch."""

import re
import shutil
from pathlib import Path

from engine import run

# As in nginx's own image.
CONFIGURATION = """\
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
CONTAINERFILE = """\
FROM scratch
COPY root /
CMD ["nginx", "-g", "daemon off;"]
"""


def image_of_nginx(folder):
    """Builds it, and returns its name."""
    context = folder / "nginx"
    root = context / "root"
    for name in "etc/nginx/conf.d", "var/log/nginx", "var/cache/nginx":
        (root / name).mkdir(parents=True)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    libraries = re.findall(r"/\S+", run("ldd", program))
    run("cp", "--parents", "--dereference", program, *libraries, "/etc/nginx/mime.types", root)
    (root / "etc/nginx/nginx.conf").write_text(CONFIGURATION)
    (root / "etc/passwd").write_text("root:x:0:0::/:/\nnginx:x:101:101::/:/\n")
    (root / "etc/group").write_text("nginx:x:101:\n")
    for name, stream in ("access", "stdout"), ("error", "stderr"):
        (root / f"var/log/nginx/{name}.log").symlink_to(f"/dev/{stream}")
    (context / "Containerfile").write_text(CONTAINERFILE)
    run("podman", "build", "--tag=localhost/reelshelf-nginx:test", context)
    return "localhost/reelshelf-nginx:test"
