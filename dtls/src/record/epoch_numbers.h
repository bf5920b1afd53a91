// What an epoch has besides its keys, for a connection that moves.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>

#include "wire/types.h"

namespace sluice::dtls::record {

struct ReadNumbers {
  wire::Epoch epoch{};
  std::uint64_t next = 0;       // ReplayWindow::next()
  Buffer received = {};         // ReplayWindow::received()
  std::uint64_t forgeries = 0;  // records that failed to authenticate

  friend bool operator==(const ReadNumbers&, const ReadNumbers&) = default;
};

struct WriteNumbers {
  wire::Epoch epoch{};
  std::uint64_t next = 0;  // the sequence number of the next record

  friend bool operator==(const WriteNumbers&, const WriteNumbers&) = default;
};

}  // namespace sluice::dtls::record
