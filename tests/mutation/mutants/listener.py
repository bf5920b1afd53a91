"""First ClientHellos, answered without state."""

from mutant import mutants_of

HASH = "hash_ covers it, with a key that nobody knows: two have the same hash with a probability of 2^-64"

MUTANTS = [
    *mutants_of(
        "dtls/src/listener/listener.cc", "dtls_listener_test dtls12_conformance_test dtls13_conformance_test listener_sim_test",
        ("header.message_seq > kLastSeq ||", "", "a client gets a limited number of cookies"),
        ("if (arrival.entry != nullptr && !is_of_same_hello(header, arrival.header)) return;", "",
         "a datagram holds fragments of one ClientHello"),
        ("if (header.length > max_hello_) {", "if (header.length > 65535) {", "the size of a ClientHello"),
        ("if (*opened) return admit(hello, (*opened)->number, std::nullopt);",
         "return admit(hello, *opened ? (*opened)->number : CookieNumber{}, std::nullopt);",
         "a client of DTLS 1.2 has a valid cookie"),
        ("if (!*opened) return std::nullopt; return OpenedRetry{(*opened)->number,",
         "return OpenedRetry{*opened ? (*opened)->number : CookieNumber{},", "a client of DTLS 1.3 has a valid cookie"),
        ("if (cookies_.needs_mac(fields.cookie)) {", "if (false) {", "a forged cookie costs one MAC"),
        ("if (!put_reply() || !may_send(hello, reply_.size())) return discard(ListenerDiscard::reply_too_long);",
         "static_cast<void>(put_reply());", "a reply of DTLS 1.3 is not longer than what has come"),
        ("if (!reader.complete() || cookie.empty()) return refuse(Alert::decode_error);", "",
         "a malformed cookie extension is refused"),
        ("if (size <= hello.bytes_received) return true;", "return true;", "a reply is not longer than what has come"),
        ("if (entry == nullptr || size > entry->bytes_received()) return false;", "if (entry == nullptr) return false;",
         "a sender has sent as much as the reply has"),
        ("if (address.size() > kMaxAddress) return discard(ListenerDiscard::address_too_long);", "",
         "the size of an address"),
        ("wire::value_of(header.version) >> 8 == 0xfe;", "true;", "records of other protocols are not answered"),
        ("fragment.body.empty()) return;", "false) return;", "an empty fragment creates no entry of the table"),
        ("options.cookie_lifetime > kMaximumLifetime", "false", "the lifetime of cookies has a maximum"),
        ("fields.extensions.find(ExtensionType::cookie);", "fields.extensions.find(ExtensionType::server_name);",
         "the cookie is looked for where it is"),
    ),
    *mutants_of(
        "dtls/src/listener/hello_table.cc", "dtls_listener_test listener_sim_test listener_fuzz",
        ("now - entry.begun_ > kLifetime", "false", "an entry ends"),
        ("if (contradicts(begin, fragment.body)) forget_fragments();", "",
         "fragments that contradict each other start anew"),
        ("return hash_ == hash && seq_ == header.message_seq && length_ == header.length && "
         "std::ranges::equal(Bytes(address_).first(address_size_), address);", "return true;",
         "an entry belongs to an address and a message"),
        ("std::ranges::equal(Bytes(address_).first(address_size_), address);", "true;",
         "an entry belongs to an address", HASH),
        ("seq_ == header.message_seq &&", "", "an entry belongs to a message", HASH),
        ("entry.bytes_received_ += datagram_size;", "entry.bytes_received_ = datagram_size;",
         "the bytes of all datagrams count"),
        ("if (count_ == kMaxParts) return false;", "", "the parts of a hello are limited"),
    ),
]
