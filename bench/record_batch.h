// Records to open: a batch is sealed while the clock stands, then opened while it runs.
#pragma once

#include <array>
#include <vector>

#include <sluice/dtls/bytes.h>

#include "record.h"

namespace sluice::bench {

struct RecordBatch {
  RecordBatch() : bytes(kRecordBatch * kRecordRoom) {}
  [[nodiscard]] dtls::MutableBytes room(std::size_t i) {
    return dtls::MutableBytes(bytes).subspan(i * kRecordRoom, kRecordRoom);
  }
  [[nodiscard]] dtls::MutableBytes record(std::size_t i) { return room(i).first(sizes[i]); }

  std::vector<std::byte> bytes;
  std::array<std::size_t, kRecordBatch> sizes{};
};

// `seal` writes a record into the room it is given and returns its size; `open` takes one.
template <class Seal, class Open>
void run_record_work(benchmark::State& state, RecordWork work, Seal&& seal, Open&& open) {
  RecordBatch batch;
  if (work == RecordWork::seal) {
    std::size_t next = 0;
    while (state.KeepRunning()) {
      benchmark::DoNotOptimize(seal(batch.room(next)));
      next = (next + 1) % kRecordBatch;
    }
    return;
  }
  while (state.KeepRunningBatch(kRecordBatch)) {
    state.PauseTiming();
    for (std::size_t i = 0; i < kRecordBatch; ++i) batch.sizes[i] = seal(batch.room(i));
    state.ResumeTiming();
    for (std::size_t i = 0; i < kRecordBatch; ++i) open(batch.record(i));
  }
}

}  // namespace sluice::bench
