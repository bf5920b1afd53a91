// Records of one connection, both ways: which epochs there are, what may be read, what comes next.
#pragma once

#include <optional>
#include <variant>

#include <sluice/dtls/statistics.h>

#include "record/protection12.h"
#include "record/replay_window.h"

namespace sluice::dtls::record {

// A record that was accepted; its contents lie in the datagram.
struct Record {
  wire::ContentType type{};
  wire::Epoch epoch{};
  MutableBytes contents;
};

// A record of the epoch whose keys aren't there yet: the messages that lead to them are late.
struct FutureRecord {
  Bytes bytes;  // header and contents, as they came
};

class RecordLayer {
 public:
  // ---- reading ----

  // Takes the first record off `datagram`. What can't be accepted is a Discard and changes nothing;
  // when even its end can't be told, the rest of the datagram goes with it.
  std::variant<Record, FutureRecord, Discard> take(MutableBytes& datagram);

  Result<void> install_read(crypto::Library& library, const ProtectionKey12& key);
  // Epoch 0 is over: what comes in plaintext from now on is unknown_epoch.
  void stop_reading_plaintext() { reads_plaintext_ = false; }
  [[nodiscard]] bool has_read_key() const { return opener_.has_value(); }
  // A record of the peer's encrypted epoch has proved authentic.
  [[nodiscard]] bool peer_encrypts() const { return peer_encrypts_; }

  // ---- writing ----

  Result<void> install_write(crypto::Library& library, const ProtectionKey12& key);
  // ChangeCipherSpec goes out with the present flight: what is written from now on is encrypted.
  void start_encrypting() { write_epoch_ = wire::kFirstEncryptedEpoch12; }
  // The epoch of application data.
  [[nodiscard]] wire::Epoch write_epoch() const { return write_epoch_; }
  // The epoch of alerts: plaintext as long as no encrypted record has left. A flight that is given
  // up before it was sent leaves the peer without the keys.
  [[nodiscard]] wire::Epoch alert_epoch() const {
    return next_encrypted_ > 0 ? write_epoch_ : wire::kPlaintextEpoch;
  }
  // The version that record headers carry once the ServerHello has settled it.
  void set_version(ProtocolVersion version) { version_ = version; }

  // What a record of the epoch adds before and after its contents.
  [[nodiscard]] std::size_t head_room(wire::Epoch epoch) const;
  [[nodiscard]] std::size_t overhead(wire::Epoch epoch) const;
  // Writes one record to `out` and returns its size. `contents` may lie at out + head_room(epoch),
  // else it must not overlap `out`. Empty when the epoch's sequence numbers are used up, `out` is
  // too small or the epoch has no key.
  std::optional<std::size_t> seal(wire::Epoch epoch, wire::ContentType type, Bytes contents,
                                  MutableBytes out);
  // Whether the epoch's sequence numbers are used up.
  [[nodiscard]] bool exhausted(wire::Epoch epoch) const;

 private:
  std::variant<Record, FutureRecord, Discard> open(const Header12& header, MutableBytes record);
  [[nodiscard]] bool is_version_known(const Header12& header) const;

  ProtocolVersion version_ = ProtocolVersion::dtls10;
  bool reads_plaintext_ = true;
  bool peer_encrypts_ = false;
  wire::Epoch write_epoch_ = wire::kPlaintextEpoch;
  std::optional<Opener12> opener_;
  std::optional<Sealer12> sealer_;
  ReplayWindow window_;  // of the encrypted epoch: nobody answers for plaintext numbers
  std::uint64_t next_plaintext_ = 0;
  std::uint64_t next_encrypted_ = 0;
};

}  // namespace sluice::dtls::record
