//! The API, request by request.

mod movies;
