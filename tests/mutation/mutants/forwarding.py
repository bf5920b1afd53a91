"""Streams that are forwarded."""

from mutant import mutants_of

RTP = "rtp_test rtp_property_test"
LITE = "ice_lite_test"

MUTANTS = [
    *mutants_of(
        "rtp/src/source_timeline.cc", RTP,
        ("begins || distance(highest_placed_, placed.number) > 0", "begins || ahead > 0",
         "a packet that a skip has overtaken may be the newest"),
        ("return back == 1 || number <= segment.last ? &segment : nullptr;", "return &segment;",
         "a skipped packet has no place"),
        ("if (number < segment.first) continue;", "if (number < segment.first && back < kept) continue;",
         "packets from before the source took over have no place"),
        ("std::max(passed, 1U)", "passed", "timestamps advance from source to source"),
        ("number(highest_placed_ + 1)", "number(highest_placed_ + 2)", "a source that takes over leaves no gap"),
        ("number(number) & 0x7fff", "number(number)", "the first sequence number is below 32768"),
        ("if (source_ != source) return;", "", "only packets of the present source are skipped"),
        ("if (ahead <= 0) return; highest_ += ahead; if (newest()", "highest_ += ahead; if (newest()",
         "older packets are not skipped"),
        ("if (placed.timestamp != newest_timestamp_ || begins)", "if (true)",
         "the time counts from the first packet of a frame"),
    ),
    *mutants_of(
        "rtp/src/forwarded_stream.cc", RTP,
        ("if (find(place->number) != nullptr) return tl::unexpected(NotForwarded::duplicate);", "",
         "a packet is forwarded once"),
        ("packet.payload.empty() && packet.padding_size > 0", "packet.padding_size > 0",
         "only packets of padding alone are kept back"),
        ("skip(packet); return tl::unexpected(is_probe", "return tl::unexpected(is_probe",
         "what is kept back leaves no gap"),
        ("sent->origin.number == packet.sequence_number", "true", "only the packet that was sent is repeated"),
        ("sent->origin.source == packet.ssrc", "true", "only a packet of the source that was sent is repeated"),
        ("sent.is_valid && sent.number == number", "sent.is_valid", "a packet of another number is not repeated"),
        ("history_[number(sent.number + -back) & mask].is_valid = false;", "",
         "numbers that were left out are not those of an earlier round"),
        ("next_rtx_number_ = next_rtx_number_ + 1;", "", "packets of the RTX stream are numbered"),
        ("store_u16(out, size, number(*original));", "", "RTX has the original sequence number"),
        ("if (out.size() < max_size(packet)) return tl::unexpected(NotForwarded::buffer_too_small); const auto place",
         "const auto place", "the room is checked before a packet is placed"),
        ("if (id != 0) static_cast<void>(writer.add(ExtensionId{id}, (*element)->value));",
         "static_cast<void>(writer.add(ExtensionId{id == 0 ? std::uint8_t{13} : id}, (*element)->value));",
         "elements without an ID are left out"),
        ("return !was_used;", "return true;", "no two elements have one ID"),
        ("options.clock_rate != 0 &&", "", "a clock rate of 0 is refused"),
        ("if (element->text.empty()) return tl::unexpected(WriteError::too_long);", "", "an empty text is refused"),
    ),
    *mutants_of(
        "ice_glue/lite/src/impl.cc", LITE,
        ("if (taken > 0 && must_wait(arrival)) break;", "", "a batch ends before what would lose data"),
        ("const bool is_for_any = arrival.tuple == kNoSlot || transport::classify(arrival.datagram) == transport::PacketClass::stun;",
         "const bool is_for_any = arrival.tuple == kNoSlot;", "a check may be for any session, whichever has its path"),
        ("if (responses_.size() >= kMaxQueuedResponses) return true;", "",
         "a batch ends when the queue of responses is full"),
        ("return media->packet.data() == datagram.data();", "return true;",
         "early media is followed by the rest of it"),
        ("latest_ = std::max(latest_, now); media_.clear();", "latest_ = std::max(latest_, now);",
         "what was not polled is gone with the next input"),
    ),
]
