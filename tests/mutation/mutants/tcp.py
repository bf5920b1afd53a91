"""Datagrams over TCP connections: framing, limits, queues; paths that end."""

from mutant import mutants_of

TCP = "tcp_test tcp_property_test"
DRIVER = "tcp_driver_test"
LITE = "ice_lite_test"

MUTANTS = [
    *mutants_of(
        "ice_glue/tcp/src/framing.cc", TCP,
        ("if (length > max_frame_) {", "if (length > max_frame_ + 1) {", "a frame is no larger than the limit"),
        ("if (length > max_frame_) {", "if (length >= max_frame_) {", "a frame of the limit is taken"),
        ("if (length != 0) return datagram;", "return datagram;", "a null packet is no datagram"),
        ("if (is_given_) kept_.clear();", "", "what was given out is not kept"),
        ("(!kept_.empty() || input.size() < kLengthSize)", "(!kept_.empty())", "a length may come in two pieces"),
    ),
    *mutants_of(
        "ice_glue/tcp/src/impl.cc", TCP,
        ("hosts_.of(keyed_, peer) >= options_.max_connections_per_host", "false",
         "the connections of a host are limited"),
        ("if (size() >= options_.max_connections) {", "if (false) {", "connections are limited"),
        ("end(unconfirmed_.first(), CloseReason::displaced);\n  }", "}", "the longest unconfirmed one makes room"),
        ("connection.is_confirmed = true;", "", "a confirmed connection lives longer"),
        ("connection.descriptor.is_open() && connection.path == path ? number : kNoSlot", "number",
         "a path is that of one connection"),
        ("hosts_.remove(keyed_, connection.path.peer);", "", "a host has room again after a connection"),
        ("queued_ -= connection.queue.size();", "", "a queue goes with its connection"),
        ("if (current_) return latest_;", "", "what was read is given out"),
        ("const bool is_full = received_.size() == kBatch || connection.deframer.has_given();",
         "const bool is_full = received_.size() == kBatch;", "a frame in pieces is not overwritten"),
        ("watch_listening(0);", "", "without descriptors it waits"),
        ("    watch_listening(EPOLLIN);", "", "and accepts again"),
    ),
    *mutants_of(
        "ice_glue/tcp/src/impl_sending.cc", TCP,
        ("connection.queue.size() + frame.size() > options_.max_queued", "false", "a queue is limited"),
        ("queued_ + frame.size() > options_.max_queued_in_all", "false", "queues are limited in all"),
        ("if (!has_begun && queued_", "if (queued_",
         "a frame that has begun is finished"),
        ("if (connection.queue.empty()) {", "if (true) {", "nothing overtakes what waits"),
        ("if (datagram.size() > kMaxFrame) return count(SendDrop::too_large);", "", "a length must be told"),
        ("queued_ -= *taken;", "", "what has left does not wait"),
    ),
    *mutants_of(
        "ice_glue/tcp/include/sluice/tcp/driver.h", DRIVER,
        ("if (this->server().find(path)) listener()", "listener()", "only a session confirms"),
        ("this->server().path_closed(closed->path, udp::now());", "", "the server learns of the end"),
    ),
    *mutants_of(
        "ice_glue/tcp/src/port.cc", DRIVER,
        ("if (!is_connection(path)) return", "if (false) return", "UDP paths leave over UDP"),
        ("time ? time : own", "time", "the Listener's timers wake the Driver"),
    ),
    *mutants_of(
        "ice_glue/lite/src/impl_tuples.cc", LITE,
        ("if (session.has_ended || select_another(number, now)) return;", "if (session.has_ended) return;",
         "another nominated tuple takes the place of a closed one"),
        ("if (was_selected) replace_lost(former, path, checked, now);", "if (was_selected) select_another(former, now);",
         "a session whose tuple was taken expires"),
        ("if (was_selected) replace_lost(number, path, checked, now);", "if (was_selected) select_another(number, now);",
         "a session whose tuple was displaced expires"),
        ("if (session.lost && consent_end(session.lost->checked) <= now) {", "if (session.lost) {",
         "a session waits as long as consent lasts"),
        ("  session.lost.reset();", "", "a new tuple ends the wait"),
    ),
    *mutants_of(
        "ice_glue/lite/src/description.cc", LITE,
        ("(is_tcp ? kHostTcp : kHost)", "kHost", "UDP is preferred"),
    ),
]
