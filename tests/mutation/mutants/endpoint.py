"""Many connections: by address, within limits."""

from mutant import mutants_of

ENDPOINT = "dtls_endpoint_test endpoint_sim_test"

MUTANTS = [
    *mutants_of(
        "dtls/src/endpoint/impl_admission.cc", ENDPOINT,
        ("if (!is_new_association && of_host != 0 && connections_of_hosts_.of(hash_, peer) >= of_host) {", "if (false) {",
         "the connections of a host are limited"),
        ("half_open_of_hosts_.of(hash_, peer) >= half_open_of_host) {", "false) {",
         "the half-open connections of a host are limited"),
        ("by_path_.size() >= options_.max_connections;", "false;", "the connections are limited"),
        ("half_open_.size() < options_.max_half_open) return std::nullopt;", "true) return std::nullopt;",
         "the half-open connections are limited"),
        ("now - slots_[oldest].begun < options_.half_open_grace) {", "false) {",
         "a half-open connection has time before it is displaced"),
        ("!(is_full && slots_[oldest].is_new_association);", "true;",
         "ending a new association makes no room for a connection"),
        ("if (!slot.is_connected && slot.connection->role() == Role::client) {", "if (false) {",
         "a ClientHello does not reach a client"),
        ("slot.client_random != client_random) return false;", "false) return false;",
         "a ClientHello is repeated with the same random"),
        ("if (under_way != kNoSlot) end(under_way, EndReason::replaced);", "",
         "a client that begins anew ends what it began before"),
        ("if (under_way != kNoSlot) deliver(under_way, datagram, now);", "",
         "a repeated fragment reaches the handshake under way"),
    ),
    *mutants_of(
        "dtls/src/endpoint/impl.cc", ENDPOINT,
        ("if (by_path_.size() >= options_.max_connections) { return tl::unexpected(Error{Errc::too_many_connections}); } const std::uint64_t",
         "const std::uint64_t", "connect() respects the limit of connections"),
        ("if (find(path, hash) != kNoSlot) {", "if (false) {", "connect() takes a path that is free"),
        ("if (slot.is_new_association) end(slot.other_association, EndReason::replaced);", "",
         "a connected association replaces the one before"),
        ("if (!next || *next > now) break;", "if (!next) break;", "timers fire when they are due"),
        ("outcome.error().code != Errc::integrity_limit_reached;", "true;",
         "a connection that ends by forgeries has opened no record"),
        ("if (!opened && slots_[newer].is_alive()) deliver(newer, datagram, now);", "deliver(newer, datagram, now);",
         "a datagram reaches one of two associations"),
    ),
    *mutants_of(
        "dtls/src/endpoint/impl_paths.cc", ENDPOINT,
        ("if (find(path, hash_of(path)) != kNoSlot) return path_is_in_use();", "", "a connection moves to a path that is free"),
        ("if (is_pair && by_path_.size() >= options_.max_connections) {", "if (false) {",
         "two associations that part respect the limit of connections"),
        ("half_open_of_hosts_.add(hash_, path.peer);", "", "a half-open connection that moves counts at its new host"),
    ),
    *mutants_of(
        "dtls/src/endpoint/slot_table.cc", ENDPOINT,
        ("slot.is_alive() && handle_of(number) == handle ?", "slot.is_alive() ?", "a handle names one connection"),
        ("slot.generation + 1;", "slot.generation;", "a slot that is used again has another generation"),
    ),
    *mutants_of(
        "dtls/src/endpoint/datagram_peek.cc", ENDPOINT,
        ("header->epoch != wire::kPlaintextEpoch) return {};", "false) return {};",
         "only plaintext is looked at for a ClientHello"),
    ),
    *mutants_of(
        "dtls/src/endpoint/host_counts.cc", ENDPOINT,
        ("if (is_mapped) return host;", "", "mapped IPv4 addresses are hosts"),
        ("host[i] &= static_cast<std::byte>(0xff00U >> bits);", "", "an IPv6 host is a prefix"),
    ),
]
