// Who may see what is for operators: /sessions and /metrics.
#pragma once

#include <httplib.h>

#include <string>
#include <utility>

namespace sluice::interop::sfu {

// With a token: who has it. Without one: requests of this machine that no proxy has passed on. Such
// a request must also name this machine in Host, since a page of another origin can have its own
// name resolved to 127.0.0.1 (DNS rebinding).
class OperatorAccess {
 public:
  // `host`: the name or IP literal that HTTP is served on, which Host may also have.
  OperatorAccess(std::string token, std::string host)
      : token_(std::move(token)), host_(std::move(host)) {}

  // False, with the refusal in `response`: not for this client.
  bool admit(const httplib::Request& request, httplib::Response& response) const;

 private:
  [[nodiscard]] bool is_own_name(const httplib::Request& request) const;

  std::string token_;
  std::string host_;
};

// Whether a proxy says that it has passed this request on.
bool is_forwarded(const httplib::Request& request);

}  // namespace sluice::interop::sfu
