//! The catalogue of an instance: kept up to date with the log of changes, and read.

pub mod facets;
mod follower;
mod loaded;
pub mod neighbours;
mod reads;
pub mod search;
mod unacknowledged;

pub use self::reads::load_catalogue;
pub(super) use self::{
    follower::Follower,
    loaded::load,
    reads::{follow_long, read, read_committed, read_long},
};
