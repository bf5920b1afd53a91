// Reports what one connection sends and receives to the PacketObserver.
#pragma once

#include <sluice/dtls/packet_observer.h>

namespace sluice::dtls::record {

class Observation {
 public:
  Observation(PacketObserver& observer, ConnectionNumber connection)
      : observer_(&observer), connection_(connection) {}

  // The time of the input that the following reports belong to.
  void set_time(Instant now) { time_ = now; }

  void datagram(Direction direction, PathId path, Bytes bytes) const {
    observer_->on_datagram({connection_, direction, path, time_, bytes});
  }
  void record(Direction direction, ContentType type, Epoch epoch, SequenceNumber sequence,
              Bytes contents) const {
    observer_->on_record({connection_, direction, time_, type, epoch, sequence, contents});
  }
  void discard(Discard reason) const { observer_->on_discard({connection_, time_, reason}); }

 private:
  PacketObserver* observer_;
  ConnectionNumber connection_;
  Instant time_{};
};

}  // namespace sluice::dtls::record
