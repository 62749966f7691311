//! systemd: socket activation (`sd_listen_fds(3)`) and notification (`sd_notify(3)`). Does nothing without
//! systemd.

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

/// The name of the listening socket in systemd's file descriptor store, so that a restart drops no
/// connection.
const SOCKET_NAME: &str = "reelshelf-listening";

/// A listening socket that this process inherited.
pub struct InheritedSocket {
    socket: TcpListener,
    /// Whether it is from the descriptor store, not from a `.socket` unit.
    kept: bool,
}

/// Returns the inherited socket, if any.
///
/// # Errors
/// If it is not a TCP socket.
pub fn given() -> anyhow::Result<Option<InheritedSocket>> {
    let kept = env::var("LISTEN_FDNAMES").is_ok_and(|names| names == SOCKET_NAME);
    let socket =
        ListenFd::from_env().take_tcp_listener(0).context("cannot listen on the socket in LISTEN_FDS")?;
    Ok(socket.map(|socket| InheritedSocket { socket, kept }))
}

/// Returns the inherited socket. One from the store must listen on this address; otherwise a new socket is
/// created and stored.
///
/// # Errors
/// If the address is in use or not of this machine.
pub fn listen(given: Option<InheritedSocket>, address: &str) -> anyhow::Result<TcpListener> {
    let socket = socket(given, address)?;
    lengthen_queue(&socket)?;
    Ok(socket)
}

/// Raises the queue length above the standard library's 128. Clients beyond it retry after a second.
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
    let socket = TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "cannot listen on {address}: another program uses this port; end it, or choose another one with \
             --listen or REELSHELF_LISTEN, such as 127.0.0.1:8090"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })?;
    keep(&socket)?;
    Ok(socket)
}

/// Reports readiness to systemd.
///
/// # Errors
/// If `NOTIFY_SOCKET` is set but cannot be reached.
pub fn notify_ready() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    sd_notify::notify(&[NotifyState::Ready])?;
    Ok(())
}

/// Reports to systemd that the service is stopping.
pub fn notify_stopping() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    sd_notify::notify(&[NotifyState::Stopping])?;
    Ok(())
}

/// Returns whether systemd keeps the socket when this process ends.
pub fn keeps() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// Stores the socket in systemd, for the process after a restart.
fn keep(socket: &TcpListener) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(SOCKET_NAME)], &[socket.as_fd()])?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

/// Removes the stored socket and waits until that is done, since the new address may overlap.
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
