"""SRTP and the transport around it."""

from mutant import mutants_of

SRTP = "srtp_test media_transport_test"
TRANSPORT = "transport_test media_transport_test media_transport_fuzz"

MUTANTS = [
    *mutants_of(
        "srtp_bridge/src/context.cc", SRTP,
        ("if (retired(ssrc)) return tl::unexpected(PacketError::ssrc_retired);", "", "a retired SSRC sends no more"),
        ("return (index & std::byte{0x80}) != std::byte{0};", "return true;", "SRTCP is encrypted"),
        ("if (packet.size() < header + trailer(kind)) return false;", "", "a packet has a trailer"),
        ("if (size > buffer.size()) return tl::unexpected(PacketError::buffer_too_small);", "",
         "a packet is within its buffer"),
        ("if (buffer.size() - size < trailer(kind)) return tl::unexpected(PacketError::buffer_too_small);", "",
         "a buffer has room for the trailer"),
        ("if (!known) forget_stream(ssrc);", "", "a packet that failed leaves no stream"),
        ("policy.window_size = options.replay_window;", "", "the replay window of SRTP is the one that was asked for"),
        ("if (!std::equal(mki_and_tag.begin(), tag, mki_.begin())) return srtp_err_status_bad_mki;", "",
         "the MKI of SRTCP is ours"),
        ("if (retired_.size() == Session::kMaxRetired) return false;", "", "the SSRCs that are retired are limited"),
    ),
    *mutants_of(
        "srtp_bridge/src/session.cc", SRTP,
        ("if (!valid(options)) return tl::unexpected(SetupError::invalid_options);", "", "the options of a session are valid"),
        ("if (!profile || owned.local.size() != profile->master_key ||", "if (!profile ||",
         "the own master key has its size"),
    ),
    *mutants_of(
        "srtp_bridge/src/packet.cc", f"srtp_test media_transport_fuzz",
        ("if (packet.size() < size + 4) return std::nullopt;", "", "a header extension begins within its packet"),
        ("if (packet.size() < size) return std::nullopt;", "", "a header ends within its packet"),
    ),
    *mutants_of(
        "ice_glue/transport/src/media_transport_impl.cc", TRANSPORT,
        ("if (announced.empty()) { return tl::unexpected(refusal(dtls::Errc::invalid_argument, \"announced: empty\")); }", "",
         "fingerprints are announced"),
        ("if (!generation) { drop(Drop::unvalidated_path); return end_input({}, now); }",
         "if (!generation) { return end_input({}, now); }", "what comes from a path that ICE has not validated is counted"),
        ("if (!is_newest && !associations_.previous_takes(*generation, packet_class)) {", "if (false) {",
         "what comes from the path of an old generation is dropped"),
        ("if (role_ != dtls::Role::server) {", "if (false) {", "a ClientHello waits until the role is known"),
        ("if (packet_class != PacketClass::dtls && packet_class != PacketClass::rtp) {", "if (false) {",
         "other protocols are dropped"),
        ("return after_connection(connection.set_peer_fingerprints(announced_, now), now);", "return {};",
         "fingerprints that came first reach the connection"),
    ),
    *mutants_of(
        "ice_glue/transport/src/path_table.cc", TRANSPORT,
        ("if (entries_.size() == max_paths_) return false;", "", "the paths are limited"),
        ("known->generation = generation;", "", "a path that is validated again belongs to the present generation"),
    ),
    *mutants_of(
        "ice_glue/transport/src/associations.cc", TRANSPORT,
        ("if (selected_ == path) selected_.reset();", "", "a path that is removed is not selected"),
        ("if (!selected_ || paths_.generation_of(*selected_) != generation_) return std::nullopt;",
         "if (!selected_) return std::nullopt;", "the newest association begins on a path of its generation"),
        ("return paths_.generation_of(association.connection().path()) == association.generation();", "return true;",
         "an association sends on a path of its generation"),
    ),
    *mutants_of(
        "ice_glue/transport/src/early_media.cc", TRANSPORT,
        ("if (packet.size() > max_packet_size_) return Drop::early_media_large;", "", "the size of early media is limited"),
        ("if (packets_.size() == max_packets_) return Drop::early_media_full;", "", "the packets of early media are limited"),
    ),
    *mutants_of(
        "ice_glue/transport/src/media_receiver.cc", TRANSPORT,
        ("} else if (!associations.newest_connected()) {", "} else if (false) {", "media before Connected waits"),
        ("if (!may_be_of_new_keys || !copied) return settle(kind, datagram, result);", "return settle(kind, datagram, result);",
         "media of the new keys waits for them"),
    ),
]
