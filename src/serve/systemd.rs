//! What systemd hands over (`sd_listen_fds(3)`) and is told (`sd_notify(3)`); without it, none of that.

#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::{
    env, io,
    net::{TcpListener, ToSocketAddrs},
};

use anyhow::Context;
use listenfd::ListenFd;
#[cfg(target_os = "linux")]
use sd_notify::{NotifyState, notify_with_fds};

use crate::limits::MAX_WAITING_CONNECTIONS;

/// The name under which systemd keeps the listening socket, so that a restart drops no connection.
const SOCKET_NAME: &str = "reelshelf-listening";

/// A listening socket that this process was started with.
pub struct InheritedSocket {
    socket: TcpListener,
    /// Whether it is one of an earlier run, and not made by a `.socket` unit.
    kept: bool,
}

/// What this process was started with.
///
/// # Errors
/// What was handed over is no TCP socket.
pub fn given() -> anyhow::Result<Option<InheritedSocket>> {
    let kept = env::var("LISTEN_FDNAMES").is_ok_and(|names| names == SOCKET_NAME);
    let socket =
        ListenFd::from_env().take_tcp_listener(0).context("cannot listen on what LISTEN_FDS tells of")?;
    Ok(socket.map(|socket| InheritedSocket { socket, kept }))
}

/// What was given, but of an earlier run only where that has listened on this address too; else a new socket,
/// which systemd is to keep.
///
/// # Errors
/// The address is taken, or not of this machine.
pub fn listen(given: Option<InheritedSocket>, address: &str) -> anyhow::Result<TcpListener> {
    let socket = socket(given, address)?;
    lengthen_queue(&socket)?;
    Ok(socket)
}

/// Lets more clients wait than the 128 that the standard library asks for. Those beyond try again after a second.
fn lengthen_queue(socket: &TcpListener) -> io::Result<()> {
    #[cfg(unix)]
    rustix::net::listen(socket, i32::try_from(MAX_WAITING_CONNECTIONS).unwrap_or(i32::MAX))?;
    #[cfg(not(unix))]
    let _ = (socket, MAX_WAITING_CONNECTIONS);
    Ok(())
}

fn socket(given: Option<InheritedSocket>, address: &str) -> anyhow::Result<TcpListener> {
    if let Some(InheritedSocket { socket, kept }) = given {
        let here = socket.local_addr()?;
        if !kept || address.to_socket_addrs().is_ok_and(|mut asked| asked.any(|asked| asked == here)) {
            return Ok(socket);
        }
        forget()?;
    }
    let socket = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    keep(&socket)?;
    Ok(socket)
}

/// Tells systemd that the service is ready.
///
/// # Errors
/// `NOTIFY_SOCKET` is set, but systemd cannot be reached there.
pub fn notify_ready() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    sd_notify::notify(&[NotifyState::Ready])?;
    Ok(())
}

/// Tells systemd that the service is about to end.
pub fn notify_stopping() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    sd_notify::notify(&[NotifyState::Stopping])?;
    Ok(())
}

/// Whether systemd keeps the socket when this process ends.
pub fn keeps() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// Hands the socket to systemd, which gives it to the next run after a restart.
fn keep(socket: &TcpListener) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(SOCKET_NAME)], &[socket.as_fd()])?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

/// Has systemd give up the socket that it has kept, and waits until it has: the new address may overlap.
fn forget() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        sd_notify::notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(SOCKET_NAME)])?;
        let (mut reader, writer) = io::pipe()?;
        notify_with_fds(&[NotifyState::Custom("BARRIER=1")], &[writer.as_fd()])?;
        drop(writer);
        io::copy(&mut reader, &mut io::sink())?; // ends when systemd closes its end, too
    }
    Ok(())
}
