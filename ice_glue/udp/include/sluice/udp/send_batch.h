// Datagrams that leave together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::udp {

// Datagrams of equal size to one path, which the kernel takes as one piece (UDP_SEGMENT); the last
// one may be shorter.
struct SendRun {
  dtls::UdpPath path;
  dtls::Bytes bytes;           // of all datagrams, one behind the other
  std::size_t segment_size{};  // of each datagram but the last
  std::size_t datagrams = 0;   // 1 to SendBatch::kMaxSegments
};

// Collects datagrams in one block of memory, which is allocated once. Successive datagrams to one
// path become one run as long as they have the same size. Used by one thread at a time.
//
//   auto room = batch.room(dtls::kMaxDatagram);
//   if (room.empty()) { socket.send(batch); batch.clear(); room = batch.room(...); }
//   const auto next = endpoint.poll_transmit(room);
//   if (next) batch.commit(next->size, next->path);
class SendBatch {
 public:
  // What Linux takes as one piece: UDP_MAX_SEGMENTS of 64 in all versions, and the largest payload
  // of IPv4 without options.
  static constexpr std::size_t kMaxSegments = 64;
  static constexpr std::size_t kMaxRunSize = 65'507;
  static constexpr std::size_t kMaxRuns = 64;
  static constexpr std::size_t kDefaultCapacity = std::size_t{256} * 1024;

  // `capacity`: bytes of all datagrams together, at least 65,507.
  explicit SendBatch(std::size_t capacity = kDefaultCapacity);

  // Where the next datagram is to be written: at least `size` bytes, up to 65,507. Empty: the batch
  // is full; send and clear() it first. Valid until commit() or clear().
  [[nodiscard]] dtls::MutableBytes room(std::size_t size);
  // The first `size` bytes of the last room() are a datagram for this path. An empty datagram is
  // one too.
  void commit(std::size_t size, const dtls::UdpPath& path);

  [[nodiscard]] std::span<const SendRun> runs() const { return runs_; }
  [[nodiscard]] std::size_t datagrams() const { return datagrams_; }
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  void clear();

 private:
  [[nodiscard]] bool joins_last_run(std::size_t size, const dtls::UdpPath& path) const;

  std::vector<std::byte> bytes_;
  std::size_t used_ = 0;
  std::vector<SendRun> runs_;  // at most kMaxRuns
  std::size_t datagrams_ = 0;
};

}  // namespace sluice::udp
