//! Password hashing with Argon2id, limited in concurrency, and a cache of verified passwords.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::throttle::subscriber;
use crate::{
    domain::{Password, Time},
    limits::{MAX_PASSWORDS_WAITING, MAX_PASSWORDS_WAITING_PER_NETWORK},
    service::Error,
};

/// Concurrent computations; each takes 19 MiB and a core for some tens of milliseconds.
const MAX_CONCURRENT_HASHES: usize = 2;

/// A hash of no password. A sign-in with an unknown name computes against it, to take the same time. Its
/// parameters are ours: those of the OWASP Password Storage Cheat Sheet for Argon2id (19 MiB, 2 passes, 1
/// lane), which are also the library's defaults.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$Q0N7VhgI6HFOtvUUBEHhMG0zVyx8cKp36bhhSpZlLRs";

/// Returns whether a hash has the current parameters.
pub(super) fn is_current(hash: &str) -> bool {
    NOBODY.rsplitn(3, '$').last().is_some_and(|parameters| hash.starts_with(parameters))
}

/// Computes Argon2id on the blocking pool.
pub(super) struct Hasher {
    permits: Arc<Semaphore>,
    queue: Arc<Mutex<Queue>>,
}

/// The running and waiting computations, with their client networks.
#[derive(Default)]
struct Queue {
    all: usize,
    networks: HashMap<IpAddr, usize>,
}

/// A place in the queue, released when dropped.
struct QueuePosition {
    queue: Arc<Mutex<Queue>>,
    network: Option<IpAddr>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_CONCURRENT_HASHES)), queue: Arc::default() }
    }
}

impl Hasher {
    /// Hashes a normalized password. Returns a PHC string.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many computations wait.
    pub(super) async fn hash(&self, password: String) -> Result<String, Error> {
        let hashed = self.compute(None, move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        hashed.await?.map_err(|e| Error::Failed(format!("Argon2id failed: {e}")))
    }

    /// Returns whether a password matches a hash. Without a hash it takes as long and returns false. Hashes
    /// from before passwords were normalized are also compared with the raw password.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many computations wait, in total or from this network.
    pub(super) async fn verify(
        &self,
        address: IpAddr,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let mut spellings = vec![Password::normalize(password).into_owned()];
        if spellings[0] != password {
            spellings.push(password.to_owned());
        }
        self.compute(Some(network(address)), move || {
            let known = hash.is_some();
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY));
            let matches = |hash: &PasswordHash| {
                spellings
                    .iter()
                    .any(|spelling| Argon2::default().verify_password(spelling.as_bytes(), hash).is_ok())
            };
            hash.is_ok_and(|hash| matches(&hash)) && known
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        network: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let failed =
            |e: &dyn std::fmt::Display| Error::Failed(format!("a password could not be hashed: {e}"));
        let place = QueuePosition::take(&self.queue, network)?;
        let permit = self.permits.clone().acquire_owned().await.map_err(|e| failed(&e))?;
        let work = move || {
            // The computation continues after the client is gone, so it keeps its permit and place.
            let _held = (permit, place);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| failed(&e))
    }
}

impl QueuePosition {
    fn take(queue: &Arc<Mutex<Queue>>, network: Option<IpAddr>) -> Result<Self, Error> {
        let mut waiting = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = network.and_then(|network| waiting.networks.get(&network)).copied().unwrap_or(0);
        if waiting.all >= MAX_CONCURRENT_HASHES + MAX_PASSWORDS_WAITING
            || of_network >= MAX_PASSWORDS_WAITING_PER_NETWORK
        {
            return Err(Error::Overloaded);
        }
        waiting.all += 1;
        if let Some(network) = network {
            waiting.networks.insert(network, of_network + 1);
        }
        Ok(Self { queue: queue.clone(), network })
    }
}

impl Drop for QueuePosition {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.all -= 1;
        if let Some(network) = self.network
            && let Some(count) = waiting.networks.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                waiting.networks.remove(&network);
            }
        }
    }
}

/// Returns the network of one organization: 48 bits of IPv6, 24 bits of IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 80 << 80).into()),
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) >> 8 << 8).into()),
    }
}

/// How long a verified pair is cached.
const CACHED_FOR: Duration = Duration::from_secs(5 * 60);
/// The maximum size of the cache.
const MAX_CACHED_PASSWORDS: usize = 1000;

/// A cache of verified passwords. An entry is an HMAC of the client's address (IPv6: its /64), the stored
/// hash and the password. The HMAC key is random and never leaves the process. The stored hash is read at
/// each request, so a changed password or deleted user invalidates the entry. An entry holds for one address,
/// so it does not help others to guess.
pub(super) struct VerifiedPasswordCache {
    key: [u8; 32],
    until: Mutex<HashMap<[u8; 32], Time>>,
}

impl Default for VerifiedPasswordCache {
    fn default() -> Self {
        Self { key: rand::random(), until: Mutex::default() }
    }
}

impl VerifiedPasswordCache {
    pub(super) fn contains(&self, address: IpAddr, hash: &str, password: &str, now: Time) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&self.mac(address, hash, password)).is_some_and(|until| *until > now)
    }

    pub(super) fn insert(&self, address: IpAddr, hash: &str, password: &str, now: Time) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= MAX_CACHED_PASSWORDS {
            until.retain(|_, until| *until > now);
        }
        if until.len() < MAX_CACHED_PASSWORDS {
            until.insert(self.mac(address, hash, password), now + CACHED_FOR);
        }
    }

    fn mac(&self, address: IpAddr, hash: &str, password: &str) -> [u8; 32] {
        let address = match subscriber(address) {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&address.octets());
        mac.update(hash.as_bytes()); // a PHC string has no NUL, so the parts are unambiguous
        mac.update(&[0]);
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_owasp_parameters_and_verifies() {
        let hasher = Hasher::default();
        let hash = hasher.hash("kX9-vbq2#w".to_owned()).await.unwrap();
        let (parameters, _) = NOBODY.split_at("$argon2id$v=19$m=19456,t=2,p=1$".len());
        assert!(hash.starts_with(parameters), "{hash}");
        assert!(is_current(&hash));
        assert!(
            !is_current(&hash.replace("m=19456", "m=9216"))
                && !is_current(&hash.replace("argon2id", "argon2i"))
        );
        assert!(hasher.verify(HERE, "kX9-vbq2#w", Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(HERE, "kX9-vbq2#W", Some(hash)).await.unwrap());
        assert!(!hasher.verify(HERE, "kX9-vbq2#w", None).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok(), "computing against it takes as long");
    }

    #[tokio::test]
    async fn so_many_computations_wait_and_no_more() {
        let hasher = Arc::new(Hasher::default());
        let running =
            hasher.permits.clone().acquire_many_owned(u32::try_from(MAX_CONCURRENT_HASHES).unwrap()).await;
        let mut waiting = tokio::task::JoinSet::new();
        for n in 0..MAX_CONCURRENT_HASHES + MAX_PASSWORDS_WAITING {
            let hasher = hasher.clone();
            let address = IpAddr::from([198, 51, u8::try_from(n).unwrap(), 1]);
            waiting.spawn(async move { hasher.compute(Some(network(address)), move || n).await.unwrap() });
        }
        while hasher.queue.lock().unwrap().all < MAX_CONCURRENT_HASHES + MAX_PASSWORDS_WAITING {
            tokio::task::yield_now().await;
        }
        let one_more = hasher.verify(HERE, "password", None).await;
        assert!(matches!(one_more, Err(Error::Overloaded)), "{one_more:?}");
        drop(running);
        assert_eq!(waiting.join_all().await.len(), MAX_CONCURRENT_HASHES + MAX_PASSWORDS_WAITING);
        assert!(hasher.compute(Some(network(HERE)), || true).await.unwrap());
        let queue = hasher.queue.lock().unwrap();
        assert_eq!((queue.all, queue.networks.len()), (0, 0), "every place was given back");
    }

    #[tokio::test]
    async fn one_network_takes_a_part_of_the_queue_only() {
        let hasher = Hasher::default();
        let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, n, 0, 0, 0, 1]);
        let places: Vec<_> = (0..u16::try_from(MAX_PASSWORDS_WAITING_PER_NETWORK).unwrap())
            .map(|n| QueuePosition::take(&hasher.queue, Some(network(address(n)))).unwrap())
            .collect();
        let one_more = hasher.verify(address(u16::MAX), "password", None).await;
        assert!(matches!(one_more, Err(Error::Overloaded)), "{one_more:?}");
        assert!(hasher.compute(Some(network(HERE)), || true).await.unwrap(), "another network");
        drop(places);
        assert!(hasher.compute(Some(network(address(0))), || true).await.unwrap());
    }

    #[test]
    fn a_pair_is_remembered_for_a_while_and_only_with_its_hash_and_for_its_address() {
        let cache = VerifiedPasswordCache::default();
        let now = Time::from_millis(0);
        let (here, neighbour, elsewhere) = (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
            "2001:db8:0:1::1".parse().unwrap(),
        );
        cache.insert(here, "hash", "password", now);
        assert!(cache.contains(here, "hash", "password", now + CACHED_FOR - Duration::from_millis(1)));
        assert!(cache.contains(neighbour, "hash", "password", now), "the same network of 64 bits");
        assert!(!cache.contains(here, "hash", "password", now + CACHED_FOR));
        assert!(!cache.contains(here, "another hash", "password", now));
        assert!(!cache.contains(here, "hash", "another password", now));
        assert!(!cache.contains(elsewhere, "hash", "password", now));
        assert!(!cache.contains(HERE, "hash", "password", now));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let (cache, start) = (VerifiedPasswordCache::default(), Time::from_millis(0));
        for n in 0..=MAX_CACHED_PASSWORDS {
            cache.insert(HERE, "hash", &n.to_string(), start);
        }
        assert!(!cache.contains(
            HERE,
            "hash",
            &MAX_CACHED_PASSWORDS.to_string(),
            start + Duration::from_millis(1)
        ));
        cache.insert(HERE, "hash", "later", start + CACHED_FOR);
        assert!(cache.contains(HERE, "hash", "later", start + CACHED_FOR));
    }
}
