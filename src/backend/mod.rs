//! Clusters, nodes, pools and raw connections to MySQL servers; health and choice of replicas.
