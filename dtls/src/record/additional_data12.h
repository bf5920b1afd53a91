// The additional data that a DTLS 1.2 record authenticates together with its plaintext.
#pragma once

#include <array>

#include <sluice/dtls/cipher_suite12.h>

#include "record/header12.h"

namespace sluice::dtls::record {

// The additional data of one record, the length at its end excepted, which with_length() fills in.
class AdditionalDataBuffer12 {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): no byte is written twice per record.
  explicit AdditionalDataBuffer12(const Header12& header) {
    const Bytes cid = header.connection_id;
    if (cid.empty()) {
      // RFC 5246 section 6.2.3.3, with the record number of RFC 6347 section 4.1.2.1.
      put_number(0, header);
      put(kNumberSize, 1, wire::value_of(header.type));
      put(kNumberSize + 1, 2, wire::value_of(header.version));
      size_ = kPlainSize;
      return;
    }
    // RFC 9146 section 5: seq_num_placeholder, tls12_cid, cid_length, and the header as it is sent,
    // without its length.
    put(0, kNumberSize, UINT64_MAX);
    put(8, 1, wire::value_of(kTls12Cid));
    put(9, 1, cid.size());
    put(10, 1, wire::value_of(kTls12Cid));
    put(11, 2, wire::value_of(header.version));
    put_number(13, header);
    std::ranges::copy(cid, bytes_.begin() + kCidAt);
    size_ = kCidAt + cid.size() + AdditionalData12::kLengthSize;
  }

  [[nodiscard]] Bytes with_length(std::size_t length) { return view().with_length(length); }
  [[nodiscard]] AdditionalData12 view() {
    return AdditionalData12(MutableBytes(bytes_).first(size_));
  }

 private:
  static constexpr std::size_t kNumberSize = kRecordNumberSize12;
  static constexpr std::size_t kPlainSize = kNumberSize + 1 + 2 + AdditionalData12::kLengthSize;
  static constexpr std::size_t kCidAt = kNumberSize + 1 + 1 + 1 + 2 + kNumberSize;
  static constexpr std::size_t kMaxSize = kCidAt + kMaxConnectionId + AdditionalData12::kLengthSize;

  void put(std::size_t at, std::size_t size, std::uint64_t value) {
    wire::store(MutableBytes(bytes_).subspan(at, size), value);
  }
  void put_number(std::size_t at, const Header12& header) {
    put(at, 2, wire::value_of(header.epoch));
    put(at + 2, 6, wire::value_of(header.sequence));
  }

  std::array<std::byte, kMaxSize> bytes_;  // the first size_ are written
  std::size_t size_;
};

}  // namespace sluice::dtls::record
