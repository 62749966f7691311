//! Limits on the number of connections: in total, and from one address.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    limits::{MAX_CONNECTIONS_PER_ADDRESS, RESERVED_OPEN_FILES},
    service::auth::subscriber,
};

/// The maximum numbers of connections.
#[derive(Debug, Clone)]
pub struct MaxConnections {
    pub in_all: usize,
    pub per_address: usize,
    /// Networks without a limit for each address: trusted proxies and this machine.
    pub exempt: Vec<IpNet>,
}

impl MaxConnections {
    /// Computes the maximum from the number of open files.
    #[must_use]
    pub fn of(open_files: u64, trusted_proxies: &[IpNet]) -> Self {
        let in_all = open_files - RESERVED_OPEN_FILES.min(open_files / 2);
        let loopback = [
            IpNet::new_assert([127, 0, 0, 0].into(), 8),
            IpNet::from(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
        ];
        Self {
            in_all: usize::try_from(in_all).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS),
            per_address: MAX_CONNECTIONS_PER_ADDRESS,
            exempt: loopback.iter().chain(trusted_proxies).copied().collect(),
        }
    }
}

/// Admits connections within the limits.
pub struct Admission {
    max: MaxConnections,
    free: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    full: Complaint,
    refused: Complaint,
    unable: Complaint,
}

/// Held by an admitted connection.
pub struct Admitted {
    address: Option<IpAddr>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Admission {
    pub fn new(max: MaxConnections) -> Self {
        let free = Arc::new(Semaphore::new(max.in_all));
        Self {
            max,
            free,
            by_address: Arc::default(),
            full: Complaint::default(),
            refused: Complaint::default(),
            unable: Complaint::default(),
        }
    }

    /// Logs that connections cannot be accepted.
    pub fn complain_of(&self, error: &io::Error) {
        if self.unable.is_due() {
            tracing::error!(%error, "cannot accept connections at the moment");
        }
    }

    /// Waits until another connection is allowed in total.
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            return Some(place);
        }
        if self.full.is_due() {
            tracing::warn!(
                connections = self.max.in_all,
                "no more connections are accepted until some end; a higher limit of open files allows more"
            );
        }
        self.free.clone().acquire_owned().await.ok()
    }

    /// Admits a connection, unless its address has too many.
    pub fn admit(&self, place: Option<OwnedSemaphorePermit>, peer: SocketAddr) -> Option<Admitted> {
        let address = subscriber(peer.ip());
        let is_exempt = self.max.exempt.iter().any(|net| net.contains(&peer.ip().to_canonical()));
        if !is_exempt {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_default();
            if *count >= self.max.per_address {
                if self.refused.is_due() {
                    tracing::warn!(%address, max = self.max.per_address, "closed a connection: the address has too many");
                }
                return None;
            }
            *count += 1;
        }
        let address = (!is_exempt).then_some(address);
        Some(Admitted { address, by_address: self.by_address.clone(), _place: place })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}

/// A log line that is written at most once a minute.
#[derive(Default)]
struct Complaint(Mutex<Option<Instant>>);

impl Complaint {
    fn is_due(&self) -> bool {
        const PAUSE: Duration = Duration::from_secs(60);

        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= PAUSE);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(per_address: usize) -> MaxConnections {
        MaxConnections {
            per_address,
            ..MaxConnections::of(1024, &["192.0.2.0/24".parse().expect("a network")])
        }
    }

    fn peer(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 50_000)
    }

    #[test]
    fn an_address_has_so_many_connections_and_another_one_its_own() {
        let admission = Admission::new(max(2));
        let (first, second) =
            (admission.admit(None, peer("203.0.113.5")), admission.admit(None, peer("203.0.113.5")));
        assert!(first.is_some() && second.is_some());
        assert!(admission.admit(None, peer("::ffff:203.0.113.5")).is_none(), "the same address in IPv6");
        assert!(admission.admit(None, peer("203.0.113.6")).is_some());
        drop(first);
        assert!(admission.admit(None, peer("203.0.113.5")).is_some(), "one has ended");
        drop(second);
        assert!(admission.by_address.lock().expect("not poisoned").is_empty(), "who has none is forgotten");
    }

    #[test]
    fn a_network_of_64_bits_is_one_address_in_ipv6() {
        let admission = Admission::new(max(1));
        let first = admission.admit(None, peer("2001:db8:1:2::1"));
        assert!(first.is_some());
        assert!(admission.admit(None, peer("2001:db8:1:2:ffff::9")).is_none());
        assert!(admission.admit(None, peer("2001:db8:1:3::1")).is_some());
    }

    #[test]
    fn this_machine_and_trusted_proxies_have_any_number() {
        let admission = Admission::new(max(0));
        for exempt in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7"] {
            assert!(admission.admit(None, peer(exempt)).is_some(), "{exempt}");
        }
        assert!(admission.admit(None, peer("192.0.3.7")).is_none());
    }

    #[test]
    fn open_files_are_kept_for_the_database_and_for_imports() {
        assert_eq!(MaxConnections::of(1024, &[]).in_all as u64, 1024 - RESERVED_OPEN_FILES);
        assert_eq!(MaxConnections::of(100, &[]).in_all, 50);
    }

    #[tokio::test]
    async fn a_connection_beyond_the_most_waits_until_one_ends() {
        use futures_util::FutureExt;

        let admission = Admission::new(MaxConnections { in_all: 1, ..max(9) });
        let first = admission.admit(admission.place().await, peer("203.0.113.5"));
        assert!(admission.place().now_or_never().is_none());
        drop(first);
        assert!(admission.place().now_or_never().is_some());
    }
}
