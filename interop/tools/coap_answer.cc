#include "tools/coap_answer.h"

#include <span>
#include <string_view>

namespace sluice::interop::tools {

std::optional<dtls::Buffer> answer_to_coap(dtls::Bytes message) {
  // RFC 7252 section 3: version, type and length of the token; code; message ID; token.
  constexpr std::size_t kHeader = 4;
  constexpr unsigned kVersion1 = 0x40;
  constexpr unsigned kNonConfirmable = 0x10;
  constexpr unsigned kAcknowledgement = 0x20;
  constexpr unsigned kReset = 0x30;
  constexpr std::byte kContent{0x45};
  constexpr std::byte kPayload{0xff};
  if (message.size() < kHeader) return std::nullopt;
  const auto first = std::to_integer<unsigned>(message[0]);
  const std::size_t token = first & 0x0f;
  const bool is_known = (first & 0xc0) == kVersion1 && (first & 0x30) <= kNonConfirmable;
  if (!is_known || token > 8 || message.size() < kHeader + token) return std::nullopt;
  const bool is_confirmable = (first & 0x30) == 0;
  const auto code = std::to_integer<unsigned>(message[1]);
  dtls::Buffer answer(message.begin(), message.begin() + static_cast<int>(kHeader + token));
  if (code == 0) {
    if (!is_confirmable) return std::nullopt;
    answer.resize(kHeader);
    answer[0] = static_cast<std::byte>(kVersion1 | kReset);
    return answer;
  }
  if (code >= 0x20) return std::nullopt;  // not a request
  answer[0] =
      static_cast<std::byte>(kVersion1 | (is_confirmable ? kAcknowledgement : 0x10) | token);
  answer[1] = kContent;
  answer.push_back(kPayload);
  for (const std::byte byte : std::as_bytes(std::span(std::string_view("sluice")))) {
    answer.push_back(byte);
  }
  return answer;
}

}  // namespace sluice::interop::tools
