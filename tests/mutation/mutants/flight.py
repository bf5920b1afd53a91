"""Flights: fragments, reassembly, acknowledgements, retransmission."""

from mutant import mutants_of

FLIGHT = "dtls_flight_test dtls13_conformance_test dtls12_conformance_test handshake_sim_test"

MUTANTS = [
    *mutants_of(
        "dtls/src/flight/reassembler.cc", FLIGHT,
        ("if (partial.type != header.type || partial.length != header.length) {", "if (false) {",
         "fragments of a message agree about its type and length"),
        ("if (partial.epoch != epoch) {", "if (false) {", "a message does not span a change of keys"),
        ("if (used_up_ || seq < next_seq_) return Outcome::stale;", "if (seq < next_seq_) return Outcome::stale;",
         "message numbers do not wrap"),
        ("> static_cast<int>(kMaxAhead))", "> 60000)", "messages are kept only a few numbers ahead"),
        ("if (header.length > limits_.max_message) {", "if (false) {", "the size of a message"),
        ("if (fragment.body.empty() && header.length != 0) return Outcome::kept;", "",
         "an empty fragment creates no entry"),
        ("if (!make_room(seq, cost, in_order)) return Outcome::full;", "make_room(seq, cost, in_order);",
         "the bytes kept for reassembly are limited"),
        ("if (piece.size() >= body.size()) return;", "", "the longest of several fragments at an offset is kept"),
        ("if (overlap >= piece.size()) return;", "if (overlap > piece.size()) return;",
         "a fragment that adds nothing is ignored", "inserting an empty range adds nothing, too"),
        ("if (due == partial_.end() || !due->second.whole()) return std::nullopt;",
         "if (due == partial_.end()) return std::nullopt;", "only a whole message is delivered"),
        ("used_up_ = next_seq_ == wire::MessageSeq{0};", "used_up_ = false;", "the last message number ends the sequence"),
        ("if (position->second.epoch == epoch) drop(position);", "",
         "fragments of plaintext messages are forgotten"),
    ),
    *mutants_of(
        "dtls/src/flight/reliable_flight.cc", FLIGHT,
        ("now < sent_ + timer_.initial() / 2) return false;", "false) return false;",
         "repetitions are not answered more often than each half timeout"),
        ("if (now < no_ack_answer_until_) return false;", "", "ACKs are not answered too often"),
        ("if (now >= give_up_ && is_repeated_) {", "if (false) {", "a flight is given up"),
        ("timer_.expiries() >= kExpiriesBeforeCaution", "false", "a flight that is lost falls back to small datagrams"),
        ("if (!std::exchange(is_sent_once_, false)) return std::nullopt;", "",
         "no RTT is measured from a repeated flight"),
        ("timer_.back_off(now);", "timer_.restart(now);", "timeouts grow"),
        ("if (is_held_) return Expiry::held;", "", "a flight that waits for a signature is not repeated"),
    ),
    *mutants_of(
        "dtls/src/flight/outgoing_flight.cc", FLIGHT,
        ("if (sent_.size() > kMaxSent) {", "if (false) {", "the memory of what was sent is limited"),
        ("if (size < left && size < minimum) return 0;", "", "no small fragments fill up a datagram"),
        ("while (packs && has_more()", "while (has_more()", "DTLS 1.2 has one message in a record"),
    ),
    *mutants_of(
        "dtls/src/flight/received_records.h", "dtls_flight_test dtls13_conformance_test",
        ("if (numbers_.size() == kMax) numbers_.erase(numbers_.begin());", "",
         "the record numbers for an ACK are limited"),
        ("std::ranges::sort(newest);", "", "the record numbers of an ACK are in order"),
        ("if (std::ranges::find(numbers_, number) != numbers_.end()) return;", "",
         "a record is acknowledged once"),
    ),
]
