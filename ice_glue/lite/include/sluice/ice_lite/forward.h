// Forwarding: the RTP packets of one sender to many receivers.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sluice/dtls/path.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/rtp/forwarded_stream.h>
#include <sluice/rtp/packet.h>
#include <sluice/srtp/session.h>

namespace sluice::ice_lite {

// Where datagrams are written that leave together: udp::Driver, or a type of your own.
template <class Batch>
concept DatagramBatch = requires(Batch& batch, std::size_t size, const dtls::UdpPath& path) {
  // Room for a datagram of up to `size` bytes, valid until commit(). Empty: there is none.
  { batch.room(size) } -> std::convertible_to<MutableBytes>;
  // The first `size` bytes of the last room() are a datagram for this path.
  batch.commit(size, path);
};

// A receiver: its session, and the stream as it gets it. The number is that of all streams of the
// session, for transport-wide feedback.
struct Forward {
  SessionHandle session;
  rtp::ForwardedStream* stream;
  rtp::SequenceNumber* next_transport_number;
};

struct ForwardCounts {
  std::uint64_t packets = 0;  // protected, and in the batch
  std::uint64_t bytes = 0;    // of their datagrams
  std::uint64_t no_room = 0;  // in the batch: lost
  std::array<std::uint64_t, rtp::kNotForwardedReasons> not_forwarded = {};
  std::array<std::uint64_t, srtp::kPacketErrors> refused = {};  // by SRTP

  [[nodiscard]] std::uint64_t count(rtp::NotForwarded reason) const {
    return not_forwarded[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(srtp::PacketError error) const {
    return refused[static_cast<std::size_t>(error)];
  }
};

namespace detail {

// `write` writes the packet in plaintext to the bytes that it gets.
template <DatagramBatch Batch, class Write>
void send_rtp(IceLiteServer& server, SessionHandle session, std::size_t max_size, Batch& batch,
              ForwardCounts& counts, Write write) {
  const MutableBytes room = batch.room(max_size + srtp::kMaxTrailer);
  if (room.empty()) {
    ++counts.no_room;
    return;
  }
  const rtp::ForwardResult size = write(room.first(max_size));
  if (!size) {
    ++counts.not_forwarded[static_cast<std::size_t>(size.error())];
    return;
  }
  const auto sent = server.protect_rtp(session, room, *size);
  if (!sent) {
    ++counts.refused[static_cast<std::size_t>(sent.error())];
    return;
  }
  batch.commit(sent->size, sent->path);
  ++counts.packets;
  counts.bytes += sent->size;
}

}  // namespace detail

// Forwards all packets, in their order, to each receiver: written by its stream and protected with
// its session's keys straight into the batch. The packets stay as they are. Each receiver gets all
// of them one behind the other, so that packets of one size leave as one piece (UDP_SEGMENT):
// forward what has come in one turn, or within a few milliseconds, by one call. Nothing is
// allocated.
//
//   while (const auto media = server.poll_media()) ... collect what rtp::read_packet() reads
//   forward(server, packets, receivers, now, driver);
//
// The results are added to `counts`.
template <DatagramBatch Batch>
void forward(IceLiteServer& server, std::span<const rtp::Packet> packets,
             std::span<const Forward> receivers, Instant now, Batch& batch, ForwardCounts& counts) {
  const rtp::Instant time(now.time_since_epoch());
  for (const Forward& receiver : receivers) {
    const rtp::Departure departure{.time = time,
                                   .next_transport_number = *receiver.next_transport_number};
    rtp::ForwardedStream& stream = *receiver.stream;
    for (const rtp::Packet& packet : packets) {
      detail::send_rtp(server, receiver.session, stream.max_size(packet), batch, counts,
                       [&](MutableBytes out) { return stream.write(packet, departure, out); });
    }
  }
}

// Answers a NACK of a receiver: sends what it was sent as `number` once more, as RTX where the
// stream has it (RFC 4588), otherwise under its own number. `packet` is the one that
// ForwardedStream::origin_of() names, kept by the caller.
template <DatagramBatch Batch>
void forward_again(IceLiteServer& server, rtp::SequenceNumber number, const rtp::Packet& packet,
                   const Forward& receiver, Instant now, Batch& batch, ForwardCounts& counts) {
  rtp::ForwardedStream& stream = *receiver.stream;
  detail::send_rtp(
      server, receiver.session, stream.max_size(packet), batch, counts, [&](MutableBytes out) {
        if (!stream.has_rtx()) return stream.write_again(number, packet, out);
        return stream.write_rtx(number, packet,
                                {.time = rtp::Instant(now.time_since_epoch()),
                                 .next_transport_number = *receiver.next_transport_number},
                                out);
      });
}

}  // namespace sluice::ice_lite
