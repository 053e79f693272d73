//! One binary for all integration tests: link once, run in parallel.

#[cfg(test)]
mod backend;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod charsets;
#[cfg(test)]
mod client;
#[cfg(test)]
mod combine;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod drivers;
#[cfg(test)]
mod encryption;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod hostile;
mod ids;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod load;
mod matrix;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod refusals;
mod servers;
#[cfg(test)]
mod sessions;
mod shapes;
#[cfg(test)]
mod splitting;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod tidy;
mod tpch;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod wide;
#[cfg(test)]
mod wire;
