// Reads what the connections of an Environment send, and knows how much of each handshake message
// has arrived.
#pragma once

#include <sluice/dtls/packet_observer.h>

#include <map>
#include <vector>

#include "message/ack.h"
#include "wire/types.h"

namespace sluice::test {

// A part of a handshake message's body.
struct WatchedFragment {
  dtls::wire::MessageSeq seq{};
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t length = 0;  // of the whole message

  [[nodiscard]] bool is_whole() const { return end - begin == length; }
  [[nodiscard]] bool overlaps(const WatchedFragment& other) const {
    return begin < other.end && other.begin < end;
  }
  friend bool operator==(const WatchedFragment&, const WatchedFragment&) = default;
};

struct WatchedRecord {
  dtls::wire::ContentType type{};
  dtls::message::RecordNumber number;
  std::vector<WatchedFragment> fragments;                 // of a handshake record
  std::vector<dtls::message::RecordNumber> acknowledged;  // by an ACK
  dtls::Buffer bytes;                                     // as sent
};

// An observer for the Environment of two connections: a handshake at a time.
class HandshakeWatch : public dtls::PacketObserver {
 public:
  void on_record(const dtls::ObservedRecord& record) override;
  void on_datagram(const dtls::ObservedDatagram& datagram) override;
  // Forgets all, before another handshake.
  void clear();

  // The records of a datagram that was sent; throws if it was not.
  [[nodiscard]] const std::vector<WatchedRecord>& records_in(dtls::Bytes datagram) const;

 private:
  std::vector<WatchedRecord> pending_;  // of the datagram that is being written
  std::map<dtls::Buffer, std::vector<WatchedRecord>> sent_;
};

// What one side has sent of its handshake, and which of it has arrived.
class WatchedMessages {
 public:
  // `plaintext_messages`: how many the side sends before it has keys.
  explicit WatchedMessages(std::size_t plaintext_messages = 1)
      : plaintext_messages_(plaintext_messages) {}

  // A record was sent, or has arrived.
  void sent(const WatchedRecord& record);
  void arrived(const WatchedRecord& record);

  // Whether this part has arrived already, in any fragments.
  [[nodiscard]] bool has(const WatchedFragment& fragment) const;
  // Whether a fragment has arrived that overlaps this one and is another.
  [[nodiscard]] bool has_other_cut(const WatchedFragment& fragment) const;
  // Whether the whole message has arrived.
  [[nodiscard]] bool has_whole(dtls::wire::MessageSeq seq) const;
  // Whether all messages that were sent in earlier epochs have arrived.
  [[nodiscard]] bool has_all_before(dtls::wire::Epoch epoch) const;
  // Whether all that was sent has arrived.
  [[nodiscard]] bool has_all() const;

 private:
  struct Message {
    dtls::wire::Epoch epoch{};
    std::size_t length = 0;
    std::vector<WatchedFragment> fragments;  // that have arrived
  };
  static bool is_complete(const Message& message);

  std::size_t plaintext_messages_;
  std::map<dtls::wire::MessageSeq, Message> messages_;
  bool was_change_cipher_spec_sent_ = false;
  bool has_change_cipher_spec_ = false;
};

}  // namespace sluice::test
