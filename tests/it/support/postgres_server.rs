//! A separate PostgreSQL server, which a test can freeze.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Kind, TestDatabase, program::poll};

/// A running server, stopped when dropped.
pub struct PostgresServer {
    server: Child,
    folder: tempfile::TempDir,
}

impl PostgresServer {
    /// Creates a cluster and starts a server with these settings, such as `jit = off`.
    pub fn start(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("reelshelf-postgres").tempdir().expect("a folder");
        let (uid, gid) = ids();
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).expect("a folder of its user");
        let data = folder.path().join("data");
        let mut set_up = as_user(programs().join("initdb"));
        set_up.arg("--pgdata").arg(&data).args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        set_up.args(["--no-locale", "--no-sync"]).current_dir(folder.path());
        let Output { status, stderr, .. } = set_up.output().expect("initdb runs");
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));

        let mut all = "fsync = off\nmax_connections = 60\nmax_wal_size = 4GB\n".to_owned();
        all.extend(settings.iter().map(|setting| format!("{setting}\n")));
        // A separate file, so that ALTER SYSTEM can change it.
        let mut file = std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"));
        std::io::Write::write_all(file.as_mut().expect("its settings"), all.as_bytes()).expect("settings");

        // A Unix socket needs no free port.
        let mut server = as_user("setpriv");
        server.args(["--pdeathsig", "INT"]).arg(programs().join("postgres")); // it ends with the test, however that ends
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-c", "listen_addresses="]);
        server.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = server.spawn().expect("postgres starts");
        let is_ready = || {
            let state = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            state.lines().any(|line| line.trim() == "ready").then_some(())
        };
        poll("the server is ready", || {
            assert!(server.try_wait().expect("a process of ours").is_none(), "the server has ended");
            is_ready()
        });
        Self { server, folder }
    }

    /// Returns the database `postgres` of the cluster.
    pub fn database(&self) -> TestDatabase {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        TestDatabase::at(Kind::Postgres, format!("postgres://postgres@{folder}/postgres"))
    }

    /// Stops or continues all its processes. The kernel still accepts connections.
    pub fn signal(&self, signal: Signal) {
        let server = self.server.id();
        let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.unwrap_or_default(); // an error: the server has ended
        let children = children.split_whitespace().map(|id| id.parse::<u32>().expect("a number"));
        for id in std::iter::once(server).chain(children.collect::<Vec<_>>()) {
            let pid = Pid::from_raw(i32::try_from(id).expect("a process's number")).expect("a process");
            let _ = kill_process(pid, signal); // an error: that one has ended
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT); // to PostgreSQL: wait for nothing
        let _ = self.server.wait();
    }
}

/// Runs a program as a user that PostgreSQL accepts.
fn as_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if rustix::process::geteuid().is_root() {
        let (uid, gid) = ids();
        std::os::unix::process::CommandExt::uid(&mut command, uid);
        std::os::unix::process::CommandExt::gid(&mut command, gid);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let folders = versions.map(|version| version.expect("a folder").path().join("bin"));
    folders.filter(|bin| bin.join("postgres").exists()).max().expect("PostgreSQL is installed")
}

/// Returns the user and group: not root, which PostgreSQL rejects.
fn ids() -> (u32, u32) {
    if !rustix::process::geteuid().is_root() {
        return (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("the users");
    let id = |name: &str| {
        let user = users.lines().find(|user| user.starts_with(&format!("{name}:")))?;
        let mut fields = user.split(':').skip(2).map(|field| field.parse().expect("a number"));
        Some((fields.next()?, fields.next()?))
    };
    id("postgres").or_else(|| id("nobody")).expect("a user who is not root")
}
