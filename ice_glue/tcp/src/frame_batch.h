// Frames that leave together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::tcp {

// A connection, as long as it is open.
enum class ConnectionHandle : std::uint64_t {};

// Successive frames of one connection.
struct FrameRun {
  ConnectionHandle connection;
  dtls::Bytes frames;
};

// Collects frames in one block of memory, which is allocated once.
class FrameBatch {
 public:
  static constexpr std::size_t kCapacity = std::size_t{256} * 1024;
  static constexpr std::size_t kMaxRuns = 256;

  FrameBatch();

  // False: there is no room. A datagram of up to kMaxFrame bytes fits into an empty batch.
  [[nodiscard]] bool add(ConnectionHandle connection, dtls::Bytes datagram);
  [[nodiscard]] std::span<const FrameRun> runs() const { return runs_; }
  void clear();

 private:
  std::vector<std::byte> bytes_;
  std::size_t used_ = 0;
  std::vector<FrameRun> runs_;
};

// The size of the first of these frames, with its length.
std::size_t first_frame(dtls::Bytes frames);

}  // namespace sluice::tcp
