#include "candidate_line.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ice_text.h"

namespace sluice::nice {
namespace {

using Malformed = tl::unexpected<CandidateProblem>;

// RFC 8839 section 5.1: fields are separated by exactly one space.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool empty() const { return done_; }

  // The next field; empty when there is none, or when two spaces meet.
  std::string_view next() {
    if (done_) return {};
    const auto space = rest_.find(' ');
    const auto field = rest_.substr(0, space);
    done_ = space == std::string_view::npos;
    rest_ = done_ ? std::string_view{} : rest_.substr(space + 1);
    return field;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

template <class Number>
std::optional<Number> number(std::string_view text, Number smallest, Number largest) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < smallest || value > largest) return std::nullopt;
  return value;
}

// IP literals and host names, so that no control character or zone travels on.
bool is_address_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == ':' || c == '-'; });
}

std::optional<CandidateType> type_of(std::string_view name) {
  for (const auto type : {CandidateType::host, CandidateType::server_reflexive,
                          CandidateType::peer_reflexive, CandidateType::relayed}) {
    if (name == to_string(type)) return type;
  }
  return std::nullopt;
}

// RFC 6544 section 4.5: the direction of a TCP candidate.
std::optional<CandidateTransport> transport_of(std::string_view protocol,
                                               std::string_view tcptype) {
  if (equal_ignoring_case(protocol, "udp")) return CandidateTransport::udp;
  if (!equal_ignoring_case(protocol, "tcp")) return std::nullopt;
  if (tcptype == "active") return CandidateTransport::tcp_active;
  if (tcptype == "passive") return CandidateTransport::tcp_passive;
  if (tcptype == "so") return CandidateTransport::tcp_so;
  return std::nullopt;
}

std::string_view without_frame(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("a=")) line.remove_prefix(2);
  return line;
}

// What follows the type, in pairs of a name and a value. False: malformed.
bool read_extensions(Fields& fields, CandidateLine& line, std::string_view& tcptype) {
  while (!fields.empty()) {
    const auto name = fields.next();
    if (fields.empty() || name.empty()) return false;
    const auto value = fields.next();
    if (name == "raddr") {
      line.related_address = value;
    } else if (name == "rport") {
      const auto port = number<std::uint16_t>(value, 0, 65535);
      if (!port) return false;
      line.related_port = *port;
    } else if (name == "tcptype") {
      tcptype = value;
    } else if (name == "ufrag") {
      line.ufrag = value;
    }
  }
  return true;
}

}  // namespace

tl::expected<CandidateLine, CandidateProblem> parse_candidate(std::string_view text) {
  constexpr std::string_view kName = "candidate:";
  text = without_frame(text);
  if (!text.starts_with(kName)) return Malformed(CandidateProblem::malformed);
  Fields fields(text.substr(kName.size()));

  CandidateLine line;
  line.foundation = fields.next();
  const auto component = number<std::uint16_t>(fields.next(), 1, 256);
  const auto protocol = fields.next();
  // RFC 8445 section 5.1.2: a positive integer up to 2**31 - 1.
  const auto priority = number<std::uint32_t>(fields.next(), 1, 0x7fffffff);
  line.address = fields.next();
  const auto port = number<std::uint16_t>(fields.next(), 0, 65535);
  if (line.foundation.empty() || line.foundation.size() > 32 || !is_ice_text(line.foundation) ||
      !component || protocol.empty() || !priority || line.address.empty() ||
      !is_address_text(line.address) || !port) {
    return Malformed(CandidateProblem::malformed);
  }
  line.component = *component;
  line.priority = *priority;
  line.port = *port;

  if (fields.next() != "typ") return Malformed(CandidateProblem::malformed);
  const auto type_name = fields.next();
  std::string_view tcptype;
  if (type_name.empty() || !read_extensions(fields, line, tcptype)) {
    return Malformed(CandidateProblem::malformed);
  }
  const auto type = type_of(type_name);
  const auto transport = transport_of(protocol, tcptype);
  if (!type || !transport) return Malformed(CandidateProblem::unsupported);
  line.type = *type;
  line.transport = *transport;
  return line;
}

}  // namespace sluice::nice
