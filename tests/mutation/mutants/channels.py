"""Data channels: SCTP by usrsctp, DCEP."""

from mutant import mutants_of

CHANNELS = "data_channel_test data_channel_memory_test data_channel_fuzz sctp_init_fuzz"

MUTANTS = [
    *mutants_of(
        "data_channel/src/receive_guard.cc", CHANNELS,
        ("if (excess_ + data > limit_) return false;", "", "what fills gaps beyond the window is limited"),
        ("excess_ += data;", "", "data beyond the window are added up"),
        ("if (!has_gaps_ || window_ > kUsedUp) excess_ = 0;", "", "a window with room begins the sum anew"),
        ("if (data <= window_) return true;", "", "what has room in the window is taken"),
    ),
    *mutants_of(
        "data_channel/src/sctp_library.cc", CHANNELS,
        ("if (size > outlet.mtu) {", "if (false) {", "no packet above the MTU is sent"),
    ),
    *mutants_of(
        "data_channel/src/packet_queue.h", CHANNELS,
        ("if (size_ == kMaxPackets) return false;", "", "packets that nobody polls are limited"),
    ),
    *mutants_of(
        "data_channel/src/sctp_socket.cc", CHANNELS,
        ("if (message_.size() + received.size() > limit) skipping_ = true;", "",
         "a message is no larger than max_message_size"),
        ("? std::max(options_.max_message_size, kMaxChannelOpen)", "? options_.max_message_size",
         "max_message_size is of messages, not of DATA_CHANNEL_OPEN"),
        ("if (!how.ordered) options.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;", "",
         "unordered messages go unordered"),
    ),
    *mutants_of(
        "data_channel/src/association_impl.cc", CHANNELS,
        ("if (!socket_->figures().established) return failed(Errc::invalid_init);", "",
         "a=sctp-init establishes the association or is refused"),
        ("if (early_.size() == kMaxEarlyPackets || early_bytes_", "if (early_bytes_",
         "the number of packets before start() is limited"),
        ("|| early_bytes_ + packet.size() > kMaxEarlyBytes) {", ") {",
         "the bytes of packets before start() are limited"),
        ("if (state_ == State::waiting_for_start) return keep_early(packet);",
         "if (state_ == State::waiting_for_start) return;", "packets before start() are kept"),
        ("if (data.size() > largest_message()) return failed(Errc::message_too_large);", "",
         "no message is larger than the peer's limit"),
        ("if (buffered_ > 0 && buffered_ + sent.size() > options_.max_buffered) {", "if (false) {",
         "the queue is limited by max_buffered"),
        ("if (buffered_ > 0 && buffered_ +", "if (buffered_ +", "a message above max_buffered may wait alone"),
    ),
    *mutants_of(
        "data_channel/src/association_events.cc", CHANNELS,
        ("found != channels_.end() || resets_.contains(stream) || stream", "stream",
         "a DATA_CHANNEL_OPEN is for an unused stream"),
        (" || stream >= streams_) {", ") {", "a channel has both directions"),
        ("found->second.incoming_closed = true;\n  drop_queue", "drop_queue",
         "the reset of the peer's stream closes the channel"),
    ),
    *mutants_of(
        "data_channel/src/dcep.cc", CHANNELS,
        ("message.size() != kOpenHeader + label_size + protocol_size) {", "false) {",
         "the names fill a DATA_CHANNEL_OPEN"),
        ("label_size > kMaxChannelName ||", "", "names have a limit"),
        ("if (policy > kMaxLifetime ||", "if (", "the channel type is known"),
    ),
    *mutants_of(
        "data_channel/src/init_chunk.cc", CHANNELS,
        ("if (load_u32(chunk, 4) == 0 || load_u16", "if (load_u16", "an INIT has a tag"),
        ("chunk.size() - length > 3) {", "false) {", "nothing follows an INIT but padding"),
    ),
    *mutants_of(
        "data_channel/src/sctp_init.cc", CHANNELS,
        ("if ((waiting & ((1U << bits) - 1)) != 0) return std::nullopt;", "", "unused bits of base64 are 0"),
        ("if (text.size() % kCharacters != 0) return std::nullopt;", "", "base64 has whole groups"),
        ("if (padding >= kBytes) return std::nullopt;", "", "base64 has at most two signs of padding"),
        ("if (!chunk || !is_init_chunk(*chunk)) return std::nullopt;", "if (!chunk) return std::nullopt;",
         "a=sctp-init is an INIT chunk"),
    ),
]
