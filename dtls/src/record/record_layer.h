// Records of one connection, both ways: which epochs there are, what may be read, what comes next.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include <sluice/dtls/statistics.h>

#include "record/epochs.h"
#include "record/key_limits.h"
#include "record/observation.h"
#include "record/protection12.h"
#include "record/protection13.h"
#include "record/replay_window.h"

namespace sluice::dtls::record {

// A record that was accepted; its contents lie in the datagram.
struct Record {
  wire::ContentType type{};
  wire::Epoch epoch{};
  wire::SequenceNumber sequence{};
  MutableBytes contents;
};

// A record of an epoch whose keys aren't there yet: the messages that lead to them are late.
struct FutureRecord {
  Bytes bytes;  // header and contents, as they came
};

// A record that may be genuine, but its cipher is gone (RecordLayer::cool()). It stays the first of
// its datagram.
struct NeedsCiphers {};

// The longest contents of a record, in bytes.
struct ContentLimits {
  // Of protected records: what the version allows, or record_size_limit (RFC 8449).
  std::uint16_t sent = kMaxPlaintext;
  std::uint16_t received = kMaxPlaintext;
  // Of plaintext records, both ways: record_size_limit does not cover them, max_fragment_length
  // (RFC 6066 section 4) does.
  std::uint16_t plaintext = kMaxPlaintext;
};

class RecordLayer {
 public:
  // `padding`: what DTLS 1.3's records are padded to a multiple of. `replay_window`: a size that a
  // ReplayWindow can have; 0: application data may be read any number of times.
  explicit RecordLayer(std::size_t padding = 0,
                       std::size_t replay_window = ReplayWindow::kDefaultSize)
      : padding_(static_cast<std::uint16_t>(padding)),
        window_units_(static_cast<std::uint8_t>(replay_window / ReplayWindow::kUnit)) {}

  // Told from now on of each record that is accepted or sealed.
  void observe(std::unique_ptr<Observation> observation) { observation_ = std::move(observation); }
  // Null: nobody watches.
  [[nodiscard]] Observation* observation() const { return observation_.get(); }

  // ---- reading

  using Taken = std::variant<Record, FutureRecord, NeedsCiphers, Discard>;

  // Takes the first record off `datagram`. What can't be accepted is a Discard and changes nothing;
  // when even its end can't be told, the rest of the datagram goes with it.
  Taken take(MutableBytes& datagram);

  // Keys of DTLS 1.2's one encrypted epoch.
  void add_reader12(Opener12 opener);
  // Keys of one epoch of DTLS 1.3.
  void add_reader(wire::Epoch epoch, Opener13 opener);
  // Epoch 0 is over: what comes in plaintext from now on is unknown_epoch.
  void stop_reading_plaintext() { reads_plaintext_ = false; }
  // Keys of encrypted epochs before this one go.
  void stop_reading_before(wire::Epoch epoch);
  // A record of this epoch has proved authentic.
  [[nodiscard]] bool has_read(wire::Epoch epoch) const;
  // The newest that there are keys for.
  [[nodiscard]] wire::Epoch read_epoch() const { return readers_.newest().epoch; }
  [[nodiscard]] bool has_read_key() const { return !readers_.empty(); }
  // A record of the peer's encrypted epoch has proved authentic.
  [[nodiscard]] bool peer_encrypts() const { return peer_encrypts_; }

  // More records than the limit allows have failed to authenticate under one key.
  [[nodiscard]] bool forgeries_exceeded() const { return forgeries_exceeded_; }

  // Of the keys that are installed from now on, both ways.
  void set_key_limits(const KeyLimits& limits) { limits_ = limits; }

  // From now on, both ways.
  void set_content_limits(const ContentLimits& limits) { content_limits_ = limits; }
  // Of what take() returns, what is longer must be refused.
  [[nodiscard]] std::size_t max_received(wire::Epoch epoch) const {
    return epoch == wire::kPlaintextEpoch ? content_limits_.plaintext : content_limits_.received;
  }

  // ---- writing

  void add_writer12(Sealer12 sealer);
  // From now on also the epoch of what isn't part of a flight.
  void add_writer(wire::Epoch epoch, Sealer13 sealer);
  // Keys of encrypted epochs before this one go.
  void stop_writing_before(wire::Epoch epoch);
  // ChangeCipherSpec goes out with the present flight: what is written from now on is encrypted.
  void start_encrypting() { is_encrypting_ = true; }
  // The epoch of application data and ACKs.
  [[nodiscard]] wire::Epoch write_epoch() const {
    return is_encrypting_ ? writers_.newest().epoch : wire::kPlaintextEpoch;
  }
  // Numbers of epoch 0 before this one were used elsewhere (RFC 6347 section 4.2.1).
  void start_plaintext_at(wire::SequenceNumber number) { next_plaintext_ = wire::value_of(number); }
  // The version that plaintext and DTLS 1.2 headers carry once the ServerHello has settled it.
  void set_version(ProtocolVersion version) { version_ = version; }

  // What a record of the epoch adds before and after its contents.
  [[nodiscard]] std::size_t head_room(wire::Epoch epoch) const;
  [[nodiscard]] std::size_t overhead(wire::Epoch epoch) const;
  // The longest contents that a record of the epoch may have: the caller keeps to it.
  [[nodiscard]] std::size_t max_contents(wire::Epoch epoch) const {
    return epoch == wire::kPlaintextEpoch ? content_limits_.plaintext : content_limits_.sent;
  }
  // What a record of so much is at least.
  [[nodiscard]] std::size_t unpadded_size(wire::Epoch epoch, std::size_t contents) const;
  // What it is at most, with all the padding that it should have.
  [[nodiscard]] std::size_t padded_size(wire::Epoch epoch, std::size_t contents) const;
  [[nodiscard]] bool pads() const { return padding_ > 1; }
  // Writes one record to `out`, padded as far as that has room, and returns its size. `contents`
  // may lie at out + head_room(epoch), else it must not overlap `out`. Empty when the epoch's
  // sequence numbers are used up, `out` is too small or the epoch has no key.
  std::optional<std::size_t> seal(wire::Epoch epoch, wire::ContentType type, Bytes contents,
                                  MutableBytes out);
  // The number of the last record of the epoch that seal() wrote.
  [[nodiscard]] wire::SequenceNumber last_sequence(wire::Epoch epoch) const;
  // Whether the epoch's sequence numbers, or its key's limit, are used up.
  [[nodiscard]] bool exhausted(wire::Epoch epoch) const;
  // Whether application data may use more of write_epoch()'s numbers: the last eighth of a key's
  // records is kept for what changes the key.
  [[nodiscard]] bool takes_data() const;
  // Whether half of that limit has gone for write_epoch().
  [[nodiscard]] bool should_update_keys() const;

  // ---- going cold

  // The newest epochs' ciphers can go, and be made again from the secrets that their keys come
  // from: numbers, replay windows and counts stay. Until then nothing of theirs is opened or
  // sealed.

  void cool();
  [[nodiscard]] bool is_cold() const { return is_cold_; }
  // Of the newest epochs.
  template <class Opener, class Sealer>
  void warm_up(Opener opener, Sealer sealer) {
    readers_.newest().opener = std::make_unique<AnyOpener>(std::move(opener));
    writers_.newest().sealer = std::make_unique<AnySealer>(std::move(sealer));
    is_cold_ = false;
  }

 private:
  using AnyOpener = std::variant<Opener12, Opener13>;
  using AnySealer = std::variant<Sealer12, Sealer13>;

  struct Reader {
    wire::Epoch epoch = wire::kPlaintextEpoch;
    std::unique_ptr<AnyOpener> opener = {};  // null: cold
    std::uint64_t forgeries = 0;
    ReplayWindow window;
  };
  // What a record has before and after its contents, in bytes.
  struct Room {
    std::uint8_t head = 0;
    std::uint8_t tail = 0;
    std::uint8_t min_contents = 0;  // shorter ones are made as long: DTLS 1.3 with a short tag
    bool has_inner_type = false;    // DTLS 1.3's
  };
  struct Writer {
    wire::Epoch epoch = wire::kPlaintextEpoch;
    std::unique_ptr<AnySealer> sealer = {};  // null: cold
    std::uint64_t next = 0;
    Room room;
  };

  Taken take_any(MutableBytes& datagram);
  Taken take12(MutableBytes& datagram);
  Taken take13(MutableBytes& datagram);
  Taken open12(const Header12& header, MutableBytes record);
  Taken open13(const Header13& header, MutableBytes record);
  [[nodiscard]] ReplayWindow make_window() const;
  // Whether a record that isn't fresh is taken all the same.
  [[nodiscard]] bool takes_again(wire::ContentType type) const {
    return window_units_ == 0 && type == wire::ContentType::application_data;
  }
  Result<std::size_t> seal_with(Writer& writer, const Header12& header, Bytes contents,
                                MutableBytes out) const;
  // Of DTLS 1.3's contents, what they become with type and padding.
  [[nodiscard]] std::size_t inner_size(const Room& room, std::size_t contents) const;
  [[nodiscard]] bool is_version_known(const Header12& header) const;

  ProtocolVersion version_ = ProtocolVersion::dtls10;
  ContentLimits content_limits_;
  std::uint16_t padding_;
  std::uint8_t window_units_;
  bool reads_plaintext_ = true;
  bool peer_encrypts_ = false;
  bool forgeries_exceeded_ = false;
  bool is_encrypting_ = false;
  bool is_cold_ = false;
  KeyLimits limits_;
  std::uint64_t next_plaintext_ = 0;
  // Of encrypted epochs. Plaintext has no replay window: nobody answers for its numbers.
  Epochs<Reader> readers_;
  Epochs<Writer> writers_;
  std::unique_ptr<Observation> observation_;
};

}  // namespace sluice::dtls::record
